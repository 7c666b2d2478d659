import ArgumentParser
import DFKit
import Foundation
import Training

/// The command `dfkit identity`.
struct IdentityCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "identity",
    abstract: "Trains and evaluates networks that measure how alike two faces look.",
    discussion: """
      A look-alike score is not face recognition: dfkit's own network finds the same face in \
      changed copies and in neighbouring frames. See Docs/Identity.md.
      """,
    subcommands: [Train.self, Evaluate.self])

  struct Train: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Trains a look-alike network on face crops.",
      discussion: """
        The data are folders with a manifest.csv, or CSV files. Samples with the same name in the \
        column person show the same face, samples with different names different faces. Of samples \
        without a name, only neighbouring files that look like one shot count as the same face. \
        The column split says which samples are held out; without it, a fifth of them is held out.

        The output folder gets best.safetensors (for --embedder), metrics.csv, plot.svg, log.txt, \
        run.json, and checkpoint.safetensors, from which --resume continues with bit-identical \
        results. With --resume, options that are not given keep their values.

          dfkit identity train --data people.csv --output runs/look-alike
          dfkit identity train --resume --output runs/look-alike
        """)

    @Option(
      help: "A folder with a manifest.csv, or a CSV file; may be given several times.",
      completion: .file())
    var data: [String] = []

    @OptionGroup(title: "The run") var output: RunOptions

    @Option(
      name: .customLong("init"), help: "The weights of a look-alike network to start from.",
      completion: .file())
    var start: String?

    @Option(help: .setting("steps", of: EmbedderTrainer.Options()))
    var steps: Int?

    @Option(help: .setting("pairs", of: EmbedderTrainer.Options()))
    var pairs: Int?

    @Option(help: .setting("rate", of: EmbedderTrainer.Options()))
    var rate: Float?

    @Option(help: .setting("temperature", of: EmbedderTrainer.Options()))
    var temperature: Float?

    @Option(help: .setting("size", of: EmbedderTrainer.Options()))
    var size: Int?

    @Option(help: .setting("seed", of: EmbedderTrainer.Options()))
    var seed: UInt64?

    private var changes: [SettingChange?] {
      [
        SettingChange("--steps", "steps", steps), SettingChange("--pairs", "pairs", pairs),
        SettingChange("--rate", "rate", rate),
        SettingChange("--temperature", "temperature", temperature),
        SettingChange("--size", "size", size), SettingChange("--seed", "seed", seed),
      ]
    }

    func validate() throws {
      try output.validateOutput(unless: nil)
      try output.validate(data: data)
      var options = EmbedderTrainer.Options()
      try options.apply(changes.compactMap { $0 })
    }

    func run() async throws {
      output.threads.apply()
      let job: EmbedderTrainingJob = try output.job(data: data, start: start, changes)
      try await Interruption.handled { [job, output] in
        let split = try job.split()
        try output.show(RunOptions.text(split)) { try job.run(split, onEvent: $0) }
      }
    }
  }

  struct Evaluate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: """
        Measures how well similarity tells the same face from the faces of different people.
        """,
      discussion: """
        Give the data of the training: the same people are held out. Pairs of one face are two \
        changed views of one picture, neighbouring files of one shot, and pictures of one named \
        person that do not look like one shot. The printed threshold is the lowest at which at \
        most the fraction --false-links of the pairs of different people count as look-alikes.

          dfkit identity evaluate --data people.csv --plot similarities.svg
          dfkit identity evaluate --data people.csv --embedder runs/look-alike/best.safetensors \
        --write mine.safetensors
        """)

    @Option(
      help: "A folder with a manifest.csv, or a CSV file; may be given several times.",
      completion: .file())
    var data: [String]

    @OptionGroup var embedder: EmbedderOptions

    @Option(help: "The fraction of the pairs of different people that may count as look-alikes.")
    var falseLinks = EmbedderEvaluation().falseLinkRate

    @Option(help: "Random seed of the changed views.")
    var seed: UInt64 = 0

    @Option(help: "Write a plot of how often each similarity occurs to this SVG file.")
    var plot: String?

    @Option(help: "Write the weights with the threshold for --false-links to this file.")
    var write: String?

    @OptionGroup var threads: ThreadOptions

    @Flag(help: "Print JSON, with the most similar pictures of different people.")
    var json = false

    func validate() throws {
      guard falseLinks >= 0, falseLinks <= 1 else {
        throw ValidationError("--false-links must be 0 to 1.")
      }
    }

    func run() async throws {
      threads.apply()
      var evaluation = EmbedderEvaluation()
      evaluation.falseLinkRate = falseLinks
      evaluation.seed = seed
      let job = EmbedderEvaluationJob(
        data: data.map { URL(fileURLWithPath: $0) }, embedder: embedder.file,
        evaluation: evaluation)
      try await Interruption.handled {
        let report = try job.run()
        if let plot {
          try Output.write(report.plot.svg, to: plot)
        }
        if let write {
          try job.write(threshold: report.result.threshold, to: URL(fileURLWithPath: write))
        }
        try Output.write(json ? report.json.text + "\n" : report.text)
      }
    }
  }
}
