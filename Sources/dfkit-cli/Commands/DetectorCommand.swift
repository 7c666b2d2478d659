import ArgumentParser
import DFKit
import Foundation

/// The command `dfkit detector`.
struct DetectorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detector",
    abstract: "Trains and judges face detectors.",
    discussion: """
      The detector is RetinaFace with the mobilenet0.25 backbone. It learns from scenes that are \
      composed of face crops; no picture with marked faces is needed but the crops. See \
      Docs/Detectors.md.
      """,
    subcommands: [Train.self, Evaluate.self])

  struct Train: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Trains a detector on scenes composed of face crops.",
      discussion: """
        The data are folders with a manifest.csv, or CSV files, with the columns box and landmarks \
        in pixels of the crop (Scripts/detector-faces.py writes them). The column split, or else a \
        fifth, says what is held out.

        The folder gets best.safetensors (for --detector-weights), metrics.csv, plot.svg, log.txt, \
        and checkpoint.safetensors, from which --resume goes on bit for bit with the same options.

          dfkit detector train --data faces.csv --output runs/detector
          dfkit detector train --data faces.csv --output runs/detector --resume
        """)

    @Option(
      help: "A folder with a manifest.csv, or a CSV file; may be given several times.",
      completion: .file())
    var data: [String]

    @OptionGroup(title: "The run") var output: RunOptions

    @Option(
      name: .customLong("init"), help: "A RetinaFace's weights to start from.",
      completion: .file())
    var start: String?

    @Option(help: "Steps.")
    var steps = DetectorTrainer.Options().steps

    @Option(help: "Scenes a step.")
    var batch = DetectorTrainer.Options().batch

    @Option(help: "The sides of most scenes in pixels; some are twice as large.")
    var size = DetectorTrainer.Options().size

    @Option(help: "The highest learning rate.")
    var rate = DetectorTrainer.Options().learningRate

    @Option(help: "Where all randomness comes from.")
    var seed: UInt64 = 0

    @Option(help: "Only write a picture of composed scenes with their faces to this file.")
    var showScenes: String?

    func validate() throws {
      try output.validateOutput(unless: showScenes)
      guard (2...10_000_000).contains(steps) else {
        throw ValidationError("--steps must be 2 to 10000000.")
      }
      guard (1...1024).contains(batch) else { throw ValidationError("--batch must be 1 to 1024.") }
      guard (64...1024).contains(size), size % 32 == 0 else {
        throw ValidationError("--size must be 64 to 1024, a multiple of 32.")
      }
      guard rate >= 1e-8, rate <= 1 else { throw ValidationError("--rate must be 1e-8 to 1.") }
    }

    func run() async throws {
      output.threads.apply()
      var options = DetectorTrainer.Options()
      options.steps = steps
      options.batch = batch
      options.size = size
      options.learningRate = rate
      options.seed = seed
      var job = DetectorTrainingJob(
        data: data.map { URL(fileURLWithPath: $0) }, folder: output.folder, options: options)
      job.start = start.map { URL(fileURLWithPath: $0) }
      job.isResuming = output.resume
      job.checkpoints = output.checkpoints
      try await Interruption.handled { [job, output, showScenes] in
        let split = try job.split()
        if let showScenes {
          return try ImageFile.write(
            try SceneSheet().image(of: job.trainer(split)), to: URL(fileURLWithPath: showScenes))
        }
        try output.show(RunOptions.text(split)) { try job.run(split, onEvent: $0) }
      }
    }
  }

  struct Evaluate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Measures which faces of composed scenes a detector finds, and its false alarms.",
      discussion: """
        Give the data of the training: the same faces are held out, and scenes are composed of \
        those. Any detector can be judged.

          dfkit detector evaluate --data faces.csv --detector-weights runs/detector/best.safetensors
        """)

    @Option(
      help: "A folder with a manifest.csv, or a CSV file; may be given several times.",
      completion: .file())
    var data: [String]

    @OptionGroup(title: "Face detection") var detector: DetectorOptions

    @Option(help: "Scenes.")
    var scenes = DetectorEvaluation().scenes

    @Option(help: "The sides of the scenes in pixels.")
    var size = DetectorEvaluation().size

    @Option(help: "What the scenes depend on.")
    var seed = DetectorEvaluation().seed

    @Option(
      help: "Write the weights to this file, scores shifted so that --score becomes 0.5.",
      completion: .file())
    var write: String?

    @Option(help: "The score that becomes 0.5 with --write.")
    var score: Float = 0.5

    @OptionGroup var threads: ThreadOptions

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
      guard score > 0.001, score < 0.999 else {
        throw ValidationError("--score must be 0.001 to 0.999.")
      }
      guard (1...100_000).contains(scenes) else {
        throw ValidationError("--scenes must be 1 to 100000.")
      }
      guard (64...2048).contains(size) else { throw ValidationError("--size must be 64 to 2048.") }
    }

    func run() async throws {
      threads.apply()
      var settings = Recipe.Detector()
      settings.frameScale = 1
      // A low threshold, so that the report covers all thresholds above it.
      settings.method = .retinaface(threshold: 0.3)
      let choice = try detector.choice(for: settings, quiet: json)
      var evaluation = DetectorEvaluation()
      evaluation.scenes = scenes
      evaluation.size = size
      evaluation.seed = seed
      let job = DetectorEvaluationJob(
        data: data.map { URL(fileURLWithPath: $0) }, detector: try choice.load(),
        evaluation: evaluation)
      try await Interruption.handled {
        let report = try job.run()
        if let write {
          try DetectorEvaluationJob.write(
            choice.weights, threshold: score, to: URL(fileURLWithPath: write))
        }
        try Output.write(json ? report.json.text + "\n" : report.text)
      }
    }
  }
}
