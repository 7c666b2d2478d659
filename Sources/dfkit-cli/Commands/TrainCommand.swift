import ArgumentParser
import DFKit
import Foundation

/// The command `dfkit train`.
struct TrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Trains a network of a recipe on face crops.",
    discussion: """
      The data are folders with a manifest.csv, or CSV files, with the columns path and label \
      (REAL or FAKE) and, if known, \(optionalColumns). Whole groups of samples are held out for \
      validation, never single frames of a video.

      The output folder gets best.safetensors and last.safetensors (weights for 'classify' and \
      'predict'), metrics.csv, plot.svg, recipe.yaml, run.json, log.txt, and \
      checkpoint.safetensors, from which --resume continues with bit-identical results, however \
      the run ended. With --resume, options that are not given keep their values.

        dfkit train --data faces/ --output runs/mine
        dfkit train --data faces/ --recipe dfdc-silver --member 5 --output runs/b4
        dfkit train --data faces.csv --only swap/ --size 96 --output runs/small
        dfkit train --data faces/ --recipe b4.yaml --init b4.pth --output runs/b4
        dfkit train --resume --output runs/b4
        dfkit train --data faces/ --recipe mine.yaml --show-augmentation sheet.png
        dfkit train --data real.csv --fakes self-blended --output runs/real
        dfkit train --data faces/ --recipe lstm.yaml --init b4.pth --output runs/lstm

      If the data contain only real faces (with landmarks, see 'dfkit landmarks'), --fakes \
      self-blended makes the fakes.
      """)

  private static let optionalColumns = ManifestColumn.all.filter { !$0.isRequired }.map(\.name)
    .joined(separator: ", ")

  @Option(
    help: "A folder with a manifest.csv, or a CSV file; may be given several times.",
    completion: .file())
  var data: [String] = []

  @Option(help: "Use only samples whose path begins with this text.")
  var only: String?

  @Option(help: "Use only samples with this value in the column origin.")
  var origin: String?

  @Option(help: "The fold to hold out, of those that 'dfkit split --folds' made.")
  var fold: Int?

  @Option(
    help: "The recipe: the name of a built-in one or a YAML file; default if not given.",
    completion: .file())
  var recipe: String?

  @Option(help: "The recipe's member to train: its name, or its number from 1.")
  var member: String?

  @OptionGroup(title: "The run") var output: RunOptions

  @OptionGroup(title: "Initial weights") var initial: InitialOptions

  @OptionGroup(title: "Overrides of the recipe's settings") var changes: TrainingChanges

  @Flag(help: "Skip and report pictures that cannot be decoded, instead of stopping.")
  var skipBroken = false

  @Option(
    help: """
      Draw samples with augmentation, and the fakes that are made, into this PNG file, and do not \
      train.
      """)
  var showAugmentation: String?

  private var resume: Bool { output.resume }

  func validate() throws {
    try output.validateOutput(unless: showAugmentation)
    try output.validate(data: data)
    if resume && showAugmentation != nil {
      throw ValidationError("--resume and --show-augmentation cannot be combined.")
    }
    if resume && member != nil && recipe == nil {
      throw ValidationError("--resume continues with the run's member; leave --member out.")
    }
    if let fold, fold < 1 { throw ValidationError("--fold must be 1 or more.") }
  }

  func run() async throws {
    output.threads.apply()
    let job = try job()
    let (sheet, output) = (showAugmentation, output)
    try await Interruption.handled {
      if let sheet { return try draw(job, to: sheet) }
      let plan = try job.plan()
      try output.show(plan.text) { try job.run(plan, onEvent: $0) }
    }
  }

  /// Makes the job by the options. With `--resume`, missing options keep the run's values.
  private func job() throws -> TrainingJob {
    let folder = output.folder
    var job: TrainingJob
    if resume {
      job = try TrainingJob(resuming: folder)
      if recipe != nil {
        try job.take(Recipe.named(recipe ?? ""), member: member)
      }
      if !data.isEmpty { job.data = data.map { URL(fileURLWithPath: $0) } }
    } else {
      let named = try Recipe.named(recipe ?? Recipe.defaultName)
      job = TrainingJob(
        recipe: named, member: try named.member(member),
        data: data.map { URL(fileURLWithPath: $0) }, folder: folder)
    }
    job.pathPrefix = only ?? job.pathPrefix
    job.origin = origin ?? job.origin
    job.fold = fold ?? job.fold
    job.skipsBroken = skipBroken || job.skipsBroken
    job.checkpoints = output.checkpoints
    job.initialWeights = initial.weights ?? job.initialWeights
    for remark in initial.weights?.remarks ?? [] { Output.note(remark) }
    try changes.apply(to: &job)
    return job
  }

  private func draw(_ job: TrainingJob, to path: String) throws {
    let url = URL(fileURLWithPath: path)
    try ImageFile.write(try job.augmentationSheet(), to: url)
    Output.note("wrote \(url.relativePath)")
  }
}

/// Options of the weights that training starts from.
struct InitialOptions: ParsableArguments {
  @Option(
    name: .customLong("init"),
    help: """
      Weights to start from: any that 'classify' accepts, of the same architecture, with batch or \
      group norm and any number of classes; a file, or the name of weights that 'dfkit weights \
      fetch' stored.
      """, completion: .file())
  var file: String?

  @Option(help: "The project that --init is from; detected from its keys if possible.")
  var initScheme: Scheme?

  @Option(
    help: "The state to use if --init is a PyTorch checkpoint that contains several, such as ema.")
  var initState: String?

  @Flag(help: "Initialise the last layer at random even if that of --init fits.")
  var newHead = false

  var weights: TrainingJob.InitialWeights? {
    guard let file else { return nil }
    let stored = (try? WeightsStore())?.url(named: file)
    var weights = TrainingJob.InitialWeights(stored ?? URL(fileURLWithPath: file))
    weights.scheme = initScheme ?? (stored == nil ? nil : Self.catalogueScheme(file))
    weights.state = initState
    weights.keepsHead = !newHead
    return weights
  }

  /// The scheme that the catalogue states for stored weights, since their file may not state it.
  private static func catalogueScheme(_ name: String) -> Scheme? {
    let entries = (try? WeightsCatalogue.builtIn())?.entries ?? []
    return entries.first { $0.name == name }?.scheme.flatMap(Scheme.init)
  }

  func validate() throws {
    if file == nil, initScheme != nil || initState != nil || newHead {
      throw ValidationError(
        "--init-scheme, --init-state and --new-head need --init WEIGHTS.")
    }
  }
}

/// Options that replace settings of the recipe.
struct TrainingChanges: ParsableArguments {
  @Option(help: .setting("training.epochs"))
  var epochs: Int?

  @Option(help: .setting("training.batchSize"))
  var batchSize: Int?

  @Option(help: .setting("training.accumulate"))
  var accumulate: Int?

  @Option(help: .setting("training.optimizer.learningRate"))
  var rate: Float?

  @Option(help: .setting("training.seed"))
  var seed: UInt64?

  @Option(help: .setting("members.size"))
  var size: Int?

  @Option(help: .setting("members.norm"))
  var norm: Norm.Kind?

  @Option(help: .setting("training.holdOut"))
  var holdOut: Float?

  @Option(help: .setting("training.earlyStop"))
  var earlyStop: Int?

  @Option(help: "The augmentation preset: none, silver or strong.")
  var augmentation: Augmentation.Preset?

  @Option(
    help: """
      Fakes to make from real faces with landmarks: none, or self-blended (half of the fakes in \
      training, or all if the data contain no fakes).
      """)
  var fakes: FakeChoice?

  @Option(
    help: "Do not train parameters whose names begin with this; may be given several times.")
  var freeze: [String] = []

  @Flag(help: .setting("training.recompute"))
  var recompute = false

  @Flag(help: .setting("training.endToEnd"))
  var endToEnd = false

  /// The given options as changes of the recipe's training settings.
  private var changes: [SettingChange] {
    [
      SettingChange("--epochs", "epochs", epochs),
      SettingChange("--batch-size", "batchSize", batchSize),
      SettingChange("--accumulate", "accumulate", accumulate),
      SettingChange("--rate", "optimizer.learningRate", rate),
      SettingChange("--seed", "seed", seed),
      SettingChange("--hold-out", "holdOut", holdOut),
      SettingChange("--early-stop", "earlyStop", earlyStop),
      SettingChange("--augmentation", "augmentation", augmentation?.rawValue),
      SettingChange("--fakes", "fakes", fakes?.rawValue),
      SettingChange("--freeze", "freeze", freeze.isEmpty ? nil : freeze),
      SettingChange("--recompute", "recompute", recompute ? true : nil),
      SettingChange("--end-to-end", "endToEnd", endToEnd ? true : nil),
    ].compactMap { $0 }
  }

  private var memberChanges: [SettingChange] {
    [SettingChange("--size", "size", size), SettingChange("--norm", "norm", norm?.rawValue)]
      .compactMap { $0 }
  }

  func validate() throws {
    var options = TrainingOptions()
    try options.apply(changes)
    var member = Recipe.Member(name: "member", architecture: .efficientNetB0)
    try member.apply(memberChanges)
  }

  func apply(to job: inout TrainingJob) throws {
    try job.options.apply(changes)
    if norm == .batch { job.member.groups = nil }
    try job.member.apply(memberChanges)
  }
}
