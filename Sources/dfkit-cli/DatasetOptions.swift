import ArgumentParser
import DFKit
import Foundation

/// The manifests that a command reads, and how their pictures are compared.
struct DatasetOptions: ParsableArguments {
  @Argument(
    help: "Folders with a manifest.csv, or CSV files with the columns path and label.",
    completion: .file())
  var manifests: [String]

  @Option(help: "Use only samples whose path begins with this text.")
  var only: String?

  @Option(help: "Use only samples with this value in the column origin.")
  var origin: String?

  @OptionGroup var embedder: EmbedderOptions

  @Flag(help: "Compare pictures only by hashes and thumbnails, without a face embedder.")
  var withoutEmbedder = false

  @Option(
    help: """
      The folder in which measurements of pictures are kept, so that no picture is measured twice; \
      'none' to keep nothing. ~/.cache/dfkit/fingerprints if not given.
      """, completion: .directory)
  var cache: String?

  func validate() throws {
    if manifests.isEmpty { throw ValidationError("Give at least one manifest.") }
    if withoutEmbedder, embedder.path != nil {
      throw ValidationError("--embedder and --without-embedder cannot be combined.")
    }
  }

  /// The dataset by the options. Loads the face embedder, unless it is switched off.
  func input() throws -> DatasetInput {
    var input = DatasetInput(manifests.map { URL(fileURLWithPath: $0) })
    input.pathPrefix = only
    input.origin = origin
    switch cache {
    case "none": break
    case let folder?: input.cache = URL(fileURLWithPath: folder)
    case nil: input.cache = DatasetInput.defaultCache()
    }
    if !withoutEmbedder { input.embedder = try FaceEmbedders.load(embedder.file) }
    return input
  }
}
