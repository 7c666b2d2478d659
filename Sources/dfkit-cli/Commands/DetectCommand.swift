import ArgumentParser
import DFKit
import Foundation

/// The command `dfkit detect`.
struct DetectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detect",
    abstract: "Finds the faces in images and videos, and groups them into people.",
    discussion: """
      People are numbered by first appearance, then from left to right.

        dfkit detect photo.jpg --detector mtcnn
        dfkit detect photo.jpg --detector-weights rf.pth --json
        dfkit detect clip.mp4 --draw sheets/
        dfkit detect clip.mp4 --draw videos/ --frames all
        dfkit detect clip.mp4 --draw pictures/ --draw-as frames

      --draw makes a picture of each image. Of a video it makes a contact sheet: one picture with \
      the frames in a grid, and each person's face and times below. With --frames all, it makes a \
      video instead, of the same frames at the same times, without sound. Each person has a \
      colour.
      """)

  @OptionGroup var input: InputOptions

  @OptionGroup(title: "Face detection") var detector: DetectorOptions

  @Option(help: "Number of frames to search in a video, evenly spread; or 'all'.")
  var frames = FrameCount(.spread(25))

  @Option(
    help: "The folder for pictures and videos with boxes, people in colours, and landmarks.",
    completion: .directory)
  var draw: String?

  @Option(
    help: """
      The drawing of a video: sheet (a contact sheet), video, or frames (one picture for each \
      frame). If not given: sheet, or video with --frames all.
      """)
  var drawAs: DetectionDrawing.Form?

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if drawAs != nil, draw == nil { throw ValidationError("--draw-as needs --draw FOLDER.") }
    if draw?.isEmpty == true { throw ValidationError("--draw must name a folder.") }
  }

  func run() async throws {
    threads.apply()
    var settings = Recipe.Detector()
    settings.frameScale = 1
    let choice = try detector.choice(for: settings, quiet: json)
    var job = DetectionJob(
      detector: try choice.load(), frames: frames.choice,
      drawing: draw.map { DetectionDrawing(folder: URL(fileURLWithPath: $0), form: drawAs) })
    job.detectorName = choice.name
    let inputs = input.files([.image, .video])
    let json = json
    try await Interruption.handled { [job] in
      let bar = ProgressBar()
      var printer = try ReportPrinter<DetectionReport>(json: json, bar) { $0.table() }
      let outcome = try job.run(inputs, progress: bar.update) { report in
        try printer.print(report, json: report.json, error: report.error)
      }
      try printer.end()
      try outcome.exit()
    }
  }
}
