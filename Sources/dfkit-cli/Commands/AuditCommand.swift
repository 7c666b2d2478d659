import ArgumentParser
import DFKit
import Foundation

/// The command `dfkit audit`.
struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Measures what leaks between the parts of a dataset, or between datasets.",
    discussion: """
      Of one manifest, the column split says what the parts are; several manifests are held \
      against each other. Looks for identical pictures, near-copies, frames of one video, fakes \
      and their originals, the same people, look-alike faces and alike backgrounds on both sides, \
      for labels that contradict each other, and for shortcuts: how well image size, compression, \
      sharpness, colour or the place of the face alone tell the label.

        dfkit audit faces/
        dfkit audit train.csv test.csv --html audit.html --show-faces
        dfkit audit split.csv --max-share 0.005 --json > audit.json

      The exit status is 2 where a leak touches more of a side than --max-share allows.
      """)

  /// The exit status if there is a leak above `--max-share`.
  static let leakCode = ExitCode(2)

  @OptionGroup var data: DatasetOptions

  @Option(help: "The share of a side's samples that a kind of leak may touch, 0 to 1.")
  var maxShare = 0.01

  @Option(
    help: "How alike two faces must be to count, 0 to 1; what the embedder states if not given.")
  var lookAlike: Float?

  @Option(help: "Pairs of each kind to show, 0 to 1000.")
  var examples = 12

  @Option(help: "Write a page with the worst pairs side by side to this file.", completion: .file())
  var html: String?

  @Flag(help: "Show pictures on that page: people's faces, so not by itself.")
  var showFaces = false

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    guard (0...1).contains(maxShare) else { throw ValidationError("--max-share must be 0 to 1.") }
    guard (0...1000).contains(examples) else {
      throw ValidationError("--examples must be 0 to 1000.")
    }
    if let lookAlike, !(0...1).contains(lookAlike) {
      throw ValidationError("--look-alike must be 0 to 1.")
    }
    if data.manifests.count > 64 { throw ValidationError("At most 64 manifests are compared.") }
    if showFaces, html == nil {
      throw ValidationError("--show-faces is about --html; give that too.")
    }
  }

  func run() async throws {
    threads.apply()
    var job = AuditJob(try data.input())
    job.audit.exampleCount = examples
    job.audit.search.copies.lookAlikeSimilarity = lookAlike
    try await Interruption.handled { [job, json, html, showFaces, maxShare] in
      let bar = ProgressBar()
      let result = try job.run(progress: bar.update)
      bar.clear()
      if let html {
        var page = AuditPage(result, allowed: maxShare)
        page.showsFaces = showFaces
        try page.write(to: URL(fileURLWithPath: html))
      }
      try json
        ? Output.write(result.json(allowed: maxShare).text + "\n")
        : Output.show(result.text(allowed: maxShare))
      if !result.report.leaks(above: maxShare).isEmpty { throw Self.leakCode }
    }
  }
}
