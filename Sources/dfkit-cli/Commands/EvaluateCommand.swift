import ArgumentParser
import DFKit
import Foundation

extension Ablation.Kind: ExpressibleByArgument {}

/// The command `dfkit evaluate`.
struct EvaluateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measures the quality of a recipe on labelled videos or face crops.",
    discussion: """
      Scores labelled videos and images (or, with --data, face crops of a manifest). Prints log \
      loss, Brier score, calibration error, accuracy, AUC, average precision and equal error rate, \
      by frame, by person and by video. Each has a 95 % interval, from a bootstrap over groups of \
      videos. Also prints the results by source, compression, size of the faces and number of \
      people.

      The networks' scores are kept (--cache): another evaluation of the same files, with other \
      rules, does not run the networks again.

        dfkit evaluate dfdc_train_part_0/
        dfkit evaluate clips/ --labels truth.csv --plots plots/
        dfkit evaluate --data faces/ --split test --json
        dfkit evaluate clips/ --ablate aggregators,clip,frames
        dfkit evaluate --data faces/ --recipe mine.yaml --weights nets/ --stack
        dfkit evaluate clips/ --sweep --plots plots/
        dfkit evaluate clips/ --recipe mine.yaml --weights b4.safetensors --compare default
      """)

  @Argument(
    help: """
      Videos and images, folders (searched with all their subfolders), or quoted glob patterns.
      """,
    completion: .file())
  var inputs: [String] = []

  @Option(
    help: """
      The source of the labels: auto, dfdc, faceforensics, celeb-df, folders, or a CSV file with \
      the columns path (or filename) and label, and, if known, video, original, person, split, \
      origin.
      """, completion: .file())
  var labels = "auto"

  @Flag(
    help:
      "Labels of files that do not exist are an error; otherwise they are counted and ignored.")
  var strict = false

  @OptionGroup(title: "Face crops instead of videos") var samples: SampleOptions

  @OptionGroup var recipe: RecipeOptions

  @OptionGroup(title: "Face detection") var detector: DetectorOptions

  @Option(help: .setting("frames", "the recipe's number if not given"))
  var frames: Int?

  @Option(
    help: """
      Another recipe (the name of a built-in one or a YAML file) to compare on the same files. \
      Prints the difference of each measure with its interval.
      """, completion: .file())
  var compare: String?

  @Option(help: "The weights of the networks of --compare.", completion: .file())
  var compareWeights: [String] = []

  @Option(
    help: """
      Measure the effect of each choice, changed one at a time, in one table: any of \
      \(Ablation.Kind.allCases.map(\.rawValue).joined(separator: ",")), separated by commas; tta \
      scores all faces three more times.
      """)
  var ablate: String?

  @Flag(
    help: """
      Fit weights for the recipe's members on the files and compare them with equal weights, by \
      cross-validation over groups of people.
      """)
  var stack = false

  @Flag(
    help: """
      Score the videos again in degraded versions: re-encoded, smaller, with fewer frames, \
      blurred, with noise. Takes about thirty times as long.
      """)
  var sweep = false

  @Option(
    help: "Write plots to this folder, each as SVG and PNG.", completion: .directory)
  var plots: String?

  @OptionGroup var cache: CacheOptions

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if inputs.isEmpty == samples.data.isEmpty {
      throw ValidationError("Give videos, or face crops with --data.")
    }
    var recipe = Recipe(name: "recipe", members: [])
    try recipe.apply(changes)
    if sweep, inputs.isEmpty { throw ValidationError("--sweep is for videos, not for --data.") }
    if compare == nil, !compareWeights.isEmpty {
      throw ValidationError("--compare-weights needs --compare RECIPE.")
    }
    _ = try kinds()
  }

  /// The given options as changes of the recipe's settings.
  private var changes: [SettingChange] {
    [SettingChange("--frames", "frames", frames)].compactMap { $0 }
  }

  private func kinds() throws -> [Ablation.Kind] {
    try (ablate ?? "").split(separator: ",").map { word in
      guard let kind = Ablation.Kind(rawValue: String(word)) else {
        throw ValidationError(
          "--ablate: '\(word)' is not one of"
            + " \(Ablation.Kind.allCases.map(\.rawValue).joined(separator: ", ")).")
      }
      return kind
    }
  }

  func run() async throws {
    threads.apply()
    let job = try job(try recipe.loaded())
    let media = InputOptions.files(inputs, [.image, .video])
    let other = try compare.map { try self.job(RecipeOptions.loaded($0, compareWeights)) }
    let command = self
    try await Interruption.handled {
      let outcome = try command.judge(job, media)
      if outcome.files.isEmpty, !outcome.wasCancelled, !command.json {
        Output.note("no file could be evaluated, so there is nothing to measure")
        throw ExitCode.failure
      }
      let report = EvaluationReport(outcome.files, try job.maker())
      var text = [report.text]
      var json: [JSON.Member] = [
        .init(key: "evaluation", value: report.json),
        .init(
          key: "failures",
          value: .array(
            outcome.failures.map { ["file": .string($0.file), "error": .string($0.error)] })),
        .init(key: "rowsWithoutFile", value: outcome.rowsWithoutFile.json),
        .init(key: "passedOver", value: .counts(outcome.passedOver)),
      ]
      var plots = report.plots
      if let other {
        let comparison = try Comparison(
          outcome.files, try job.maker(), try command.judge(other, media).files, try other.maker())
        text.append(comparison.text((command.recipe.recipe, command.compare ?? "")))
        json.append(.init(key: "comparison", value: comparison.json))
      }
      let rows = try command.ablation(outcome, job, media)
      if !rows.isEmpty {
        text.append(rows.text)
        json.append(.init(key: "ablation", value: rows.json))
        plots.append(("ablation", rows.plot))
      }
      if command.stack {
        let report = try StackReport(outcome.files)
        text.append(report.text)
        json.append(.init(key: "stack", value: report.json))
      }
      if command.sweep {
        let rows = try command.sweep(job, outcome, media)
        text.append(rows.text)
        json.append(.init(key: "sweep", value: rows.json))
        plots.append(("sweep", rows.plot))
      }
      try command.write(plots)
      try command.json
        ? Output.write(JSON.object(json).text + "\n") : Output.show(text.joined(separator: "\n\n"))
      if outcome.wasCancelled { throw Interruption.exitCode }
      if !outcome.failures.isEmpty { throw ExitCode.failure }
    }
  }

  /// Makes the evaluation of a recipe with its weights.
  private func job(_ given: (recipe: Recipe, weights: MemberFiles)) throws -> EvaluationJob {
    var (settings, files) = given
    try settings.apply(changes)
    var source: WeightsSource?
    if samples.data.isEmpty {
      let choice = try detector.choice(
        for: settings.detector, quiet: json, allowsOther: true)
      settings.detector = choice.settings
      source = choice.weights
    }
    var job = EvaluationJob(recipe: settings, weights: files, detectorWeights: source)
    job.cache = cache.folder
    job.isStrict = strict
    return job
  }

  private func judge(
    _ job: EvaluationJob, _ media: MediaFiles
  ) throws -> EvaluationJob.Outcome {
    let bar = ProgressBar()
    let outcome: EvaluationJob.Outcome
    if samples.data.isEmpty {
      outcome = try job.judge(media, try truths(), progress: bar.update)
    } else {
      outcome = try job.judge(samples.choice(), progress: bar.update)
    }
    bar.clear()
    for failure in outcome.failures { Output.note(failure.error) }
    if let text = outcome.rowsWithoutFile.textOfMissing { Output.note(text) }
    if let problem = outcome.cacheProblem { Output.note("the scores were not saved: \(problem)") }
    return outcome
  }

  private func truths() throws -> DatasetLabels {
    try DatasetLabels(
      DatasetLabels.Choice.words.first { $0.word == labels }?.choice
        ?? .table(URL(fileURLWithPath: labels)))
  }

  private func sweep(
    _ job: EvaluationJob, _ outcome: EvaluationJob.Outcome, _ media: MediaFiles
  ) throws -> [SweepJob.Row] {
    let bar = ProgressBar()
    defer { bar.clear() }
    return try SweepJob(job).run(
      media, try truths(), original: outcome.files, progress: bar.update)
  }

  private func ablation(
    _ outcome: EvaluationJob.Outcome, _ job: EvaluationJob, _ media: MediaFiles
  ) throws -> [Ablation.Row] {
    let kinds = try kinds()
    var ablation = Ablation(outcome.files, try job.maker())
    if kinds.contains(.tta) {
      for view in [CropView.flipped, .turned(-10), .turned(10)] {
        var other = job
        other.view = view
        ablation.views.append((view, try judge(other, media).files))
      }
    }
    return kinds.flatMap { ablation.rows($0) }
  }

  private func write(_ plots: [(name: String, plot: any Plot)]) throws {
    guard let folder = self.plots else { return }
    let url = URL(fileURLWithPath: folder)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    for (name, plot) in plots {
      try Output.write(plot.svg, to: url.appendingPathComponent("\(name).svg").path)
      try ImageFile.write(
        plot.drawing.image(), to: url.appendingPathComponent("\(name).png"), format: .png)
    }
  }
}
