import ArgumentParser
import DFKit
import Foundation

/// `dfkit detect`
struct DetectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detect",
    abstract: "Finds the faces in images and videos.",
    discussion: """
        dfkit detect photo.jpg --detector-weights rf.pth --json
        dfkit detect clip.mp4 --frames all --detector-weights rf.pth --draw boxes/
      """)

  @OptionGroup var input: InputOptions

  @OptionGroup(title: "Face detection") var detector: DetectorOptions

  @Option(help: "Frames searched in a video, evenly spread; or 'all'.")
  var frames = FrameCount(.spread(25))

  @Option(
    help: "A folder for pictures with boxes and landmarks, one a frame.", completion: .directory)
  var draw: String?

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print JSON.")
  var json = false

  func run() async throws {
    threads.apply()
    var settings = Recipe.Detector()
    settings.frameScale = 1
    settings = try detector.applied(to: settings)
    let job = DetectionJob(
      detector: try settings.load(try detector.weights(of: settings)), frames: frames.choice,
      drawing: draw.map { URL(fileURLWithPath: $0) })
    let inputs = input.files([.image, .video])
    let json = json
    try await Interruption.handled {
      let bar = ProgressBar()
      var printer = try ReportPrinter<DetectionReport>(json: json, bar) { $0.table(width: $1) }
      let outcome = try job.run(inputs, progress: bar.update) { report in
        try printer.print(report, json: report.json, error: report.error)
      }
      try printer.end()
      try outcome.exit()
    }
  }
}
