import ArgumentParser
import DFKit
import Foundation

/// The command `dfkit landmarks`.
struct LandmarksCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "landmarks",
    abstract: "Finds the five points of the face in crops that were cut without them.",
    discussion: """
      Eyes, nose and corners of the mouth are what fakes are made by ('train' with fakes: \
      self-blended) and what covers parts of faces (landmarkCutout). The rows are written with the \
      column landmarks, everything else as it was. Crops in which no face is found have none, and \
      are named.

        dfkit landmarks faces/ --in-place
        dfkit landmarks faces.csv --output marked.csv --detector mtcnn
        dfkit landmarks a.csv b.csv --output all.csv --detector-weights rf.pth

      After Ctrl-C, what was found is written; the same command with --in-place on that file goes \
      on.
      """)

  @Argument(
    help: "Folders with a manifest.csv, or CSV files with columns path and label.",
    completion: .file())
  var manifests: [String]

  @Option(help: "The file to write.", completion: .file())
  var output: String?

  @Flag(help: "Write the column into the manifest itself.")
  var inPlace = false

  @Option(help: "Only look at samples whose path begins with this.")
  var only: String?

  @Option(help: "Only look at samples with this in the column origin.")
  var origin: String?

  @Flag(help: "Look again at crops that have landmarks.")
  var again = false

  @Option(
    help: """
      What is put around a crop before it is searched, as a part of its longer side, 0 to 2; 0.25 \
      if not given.
      """)
  var padding: Float?

  @OptionGroup(title: "Face detection") var detector: DetectorOptions

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if manifests.isEmpty { throw ValidationError("Give at least one manifest.") }
    if (output == nil) == !inPlace { throw ValidationError("Give --output FILE, or --in-place.") }
    if inPlace, manifests.count > 1 {
      throw ValidationError("--in-place takes one manifest; give --output to join several.")
    }
    if let padding, !(0...2).contains(padding) {
      throw ValidationError("--padding must be 0 to 2.")
    }
  }

  func run() async throws {
    threads.apply()
    var settings = Recipe.Detector()
    settings.frameScale = 1
    let choice = try detector.choice(for: settings, quiet: json)
    var input = DatasetInput(manifests.map { URL(fileURLWithPath: $0) })
    input.pathPrefix = only
    input.origin = origin
    var job = LandmarkJob(input, detector: try choice.load())
    job.detectorName = choice.name
    job.padding = padding ?? job.padding
    job.replacesKnown = again
    let file = URL(fileURLWithPath: output ?? manifests[0])
    try await Interruption.handled { [job, json, inPlace] in
      let bar = ProgressBar()
      let result = try job.run(progress: bar.update)
      bar.clear()
      try job.write(result, to: inPlace ? FaceManifest.file(of: file) : file)
      try json ? Output.write(result.json.text + "\n") : Output.show(result.text)
      try result.outcome.exit()
    }
  }
}
