import ArgumentParser
import DFKit
import Foundation
import Training

/// The command `dfkit detector`.
struct DetectorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detector",
    abstract: "Trains and evaluates face detectors.",
    discussion: """
      The detector is RetinaFace with the mobilenet0.25 backbone. It is trained on scenes that are \
      composed of face crops; no other pictures with marked faces are needed. See \
      Docs/Detectors.md.
      """,
    subcommands: [Train.self, Evaluate.self])

  struct Train: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Trains a detector on scenes composed of face crops.",
      discussion: """
        The data are folders with a manifest.csv, or CSV files, with the columns box and landmarks \
        in pixels of the crop (Scripts/detector-faces.py writes them). The column split says which \
        samples are held out; without it, a fifth of them is held out.

        The output folder gets best.safetensors (for --detector-weights), metrics.csv, plot.svg, \
        log.txt, run.json, and checkpoint.safetensors, from which --resume continues with \
        bit-identical results. With --resume, options that are not given keep their values.

          dfkit detector train --data faces.csv --output runs/detector
          dfkit detector train --resume --output runs/detector
        """)

    @Option(
      help: "A folder with a manifest.csv, or a CSV file; may be given several times.",
      completion: .file())
    var data: [String] = []

    @OptionGroup(title: "The run") var output: RunOptions

    @Option(
      name: .customLong("init"), help: "The weights of a RetinaFace to start from.",
      completion: .file())
    var start: String?

    @Option(help: .setting("steps", of: DetectorTrainer.Options()))
    var steps: Int?

    @Option(help: .setting("batch", of: DetectorTrainer.Options()))
    var batch: Int?

    @Option(help: .setting("size", of: DetectorTrainer.Options()))
    var size: Int?

    @Option(help: .setting("rate", of: DetectorTrainer.Options()))
    var rate: Float?

    @Option(help: .setting("seed", of: DetectorTrainer.Options()))
    var seed: UInt64?

    @Option(
      help: "Write a picture of composed scenes with their faces to this file, and do not train.")
    var showScenes: String?

    private var changes: [SettingChange?] {
      [
        SettingChange("--steps", "steps", steps), SettingChange("--batch", "batch", batch),
        SettingChange("--size", "size", size), SettingChange("--rate", "rate", rate),
        SettingChange("--seed", "seed", seed),
      ]
    }

    func validate() throws {
      try output.validateOutput(unless: showScenes)
      try output.validate(data: data)
      var options = DetectorTrainer.Options()
      try options.apply(changes.compactMap { $0 })
    }

    func run() async throws {
      output.threads.apply()
      let job: DetectorTrainingJob = try output.job(data: data, start: start, changes)
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
      abstract: """
        Measures how many faces of composed scenes a detector finds, and its false alarms.
        """,
      discussion: """
        Give the data of the training: the same faces are held out, and the scenes are composed of \
        them. Any detector can be evaluated.

          dfkit detector evaluate --data faces.csv --detector-weights runs/detector/best.safetensors
        """)

    @Option(
      help: "A folder with a manifest.csv, or a CSV file; may be given several times.",
      completion: .file())
    var data: [String]

    @OptionGroup(title: "Face detection") var detector: DetectorOptions

    @Option(help: "Number of scenes.")
    var scenes = DetectorEvaluation().scenes

    @Option(help: "Width and height of the scenes in pixels.")
    var size = DetectorEvaluation().size

    @Option(help: "Random seed of the scenes.")
    var seed = DetectorEvaluation().seed

    @Option(
      help: "Write the weights to this file, with scores shifted so that --score becomes 0.5.",
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
