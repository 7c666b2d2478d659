import ArgumentParser
import DFKit
import Foundation

/// The face crops that a command evaluates.
struct SampleOptions: ParsableArguments {
  @Option(
    help: "A folder with a manifest.csv, or a CSV file; may be given several times.",
    completion: .file())
  var data: [String] = []

  @Option(
    help: """
      The part of the data to evaluate, by the column split: validation, test, train; or all. \
      Without that column, validation is the part that 'dfkit train' holds out.
      """)
  var split = "validation"

  @Option(help: "Use only samples whose path begins with this text.")
  var only: String?

  @Option(help: "Use only samples with this value in the column origin.")
  var origin: String?

  func validate() throws {
    if split != "all", DatasetPart(split) == nil {
      throw ValidationError("--split must be validation, test, train or all.")
    }
  }

  /// The samples that the options select.
  func choice() -> SampleChoice {
    var choice = SampleChoice(data.map { URL(fileURLWithPath: $0) })
    choice.part = DatasetPart(split).map { .named($0) } ?? .all
    choice.pathPrefix = only
    choice.origin = origin
    return choice
  }
}
