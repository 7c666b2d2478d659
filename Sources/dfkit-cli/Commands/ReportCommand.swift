import ArgumentParser
import DFKit
import Foundation

/// The command `dfkit report`.
struct ReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Writes a page with the verdict on a video and the reasons for it.",
    discussion: """
      The verdict is the same as that of 'predict'. The page is one HTML file that needs no other \
      file, no script and no internet. It shows the verdict with its uncertainty, a timeline of \
      each person, the frames that influenced the verdict most, the parts of the face in which the \
      networks saw signs of a fake, what was not analysed, and the networks and settings. --json \
      prints the same facts.

        dfkit report clip.mp4 -o report.html
        dfkit report clip.mp4 --recipe mine.yaml --weights b4.safetensors --json > facts.json

      The page shows people's faces.
      """)

  @Argument(help: "The video or image.", completion: .file())
  var input: String

  @Option(name: [.short, .long], help: "The HTML file to write.", completion: .file())
  var output: String?

  @OptionGroup var recipe: RecipeOptions

  @OptionGroup(title: "Face detection") var detector: DetectorOptions

  @Option(help: "Number of faces to show of each person, 1 to 50.")
  var faces = 6

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if output == nil, !json { throw ValidationError("Give -o FILE.html, or --json.") }
    if let output,
      !["", "html", "htm"].contains(URL(fileURLWithPath: output).pathExtension.lowercased())
    {
      throw ValidationError(
        "--output \(output): the page is HTML. Name it .html; a browser can print it as PDF.")
    }
    if !(1...50).contains(faces) { throw ValidationError("--faces must be 1 to 50.") }
  }

  func run() async throws {
    threads.apply()
    var (settings, files) = try recipe.loaded()
    let choice = try detector.choice(
      for: settings.detector, quiet: json, allowsOther: true)
    settings.detector = choice.settings
    var explainer = try VideoExplainer(
      recipe: settings, weights: files,
      detectorWeights: choice.weights)
    explainer.predictor.detectorName = choice.name
    explainer.drivingFaces = faces
    let media = InputOptions.files([input], [.image, .video])
    if let problem = media.problems.first {
      Output.note(problem.description)
      throw ExitCode.failure
    }
    guard media.files.count == 1, let file = media.files.first else {
      throw ValidationError("Give one video or image; \(input) matches \(media.files.count) files.")
    }
    let (command, ready) = (self, explainer)
    try await Interruption.handled {
      let bar = ProgressBar()
      let explanation = try ready.explain(file) { part in
        bar.update(JobProgress(file.relativePath, part: part))
      }
      bar.clear()
      if let output = command.output {
        try VideoPage(explanation).write(to: URL(fileURLWithPath: output))
      }
      if command.json {
        try Output.write(explanation.json.text + "\n")
      } else if let output = command.output {
        try Output.show([explanation.report].table())
        try Output.write("written: \(output)\n")
      }
    }
  }
}
