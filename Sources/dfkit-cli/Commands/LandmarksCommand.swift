import ArgumentParser
import DFKit
import Foundation

/// The command `dfkit landmarks`.
struct LandmarksCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "landmarks",
    abstract: "Finds the five landmarks of the face in crops that have none.",
    discussion: """
      The landmarks are the eyes, the nose and the corners of the mouth. 'train' needs them to \
      make fakes (fakes: self-blended) and to cover parts of faces (landmarkCutout). The rows are \
      written with the column landmarks; all other columns stay the same. Crops in which no face \
      is found get no landmarks and are listed.

        dfkit landmarks faces/ --in-place
        dfkit landmarks faces.csv --output marked.csv --detector mtcnn
        dfkit landmarks a.csv b.csv --output all.csv --detector-weights rf.pth

      After Ctrl-C, the landmarks found so far are written. To continue, run the same command with \
      --in-place on that file.
      """)

  @Argument(
    help: "Folders with a manifest.csv, or CSV files with the columns path and label.",
    completion: .file())
  var manifests: [String]

  @Option(help: "The file to write.", completion: .file())
  var output: String?

  @Flag(help: "Write the column into the manifest itself.")
  var inPlace = false

  @Option(help: "Search only samples whose path begins with this text.")
  var only: String?

  @Option(help: "Search only samples with this value in the column origin.")
  var origin: String?

  @Flag(help: "Also search crops that have landmarks, and replace these.")
  var again = false

  @Option(
    help: """
      Padding added around a crop before the search, as a fraction of its longer side, 0 to 2; \
      0.25 if not given.
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
      throw ValidationError("--in-place works with one manifest; give --output to join several.")
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
