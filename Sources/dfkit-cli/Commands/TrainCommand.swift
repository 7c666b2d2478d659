import ArgumentParser
import DFKit
import Foundation

/// `dfkit train`
struct TrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Trains a network of a recipe on face crops.",
    discussion: """
      The data are folders with a manifest.csv, or CSV files, with columns path and label (REAL or FAKE) \
      and, where known, video, person, original, split, time, landmarks, origin. What is held out for \
      validation is never drawn frame by frame.

      The output folder gets best.safetensors and last.safetensors (weights for 'classify' and 'predict'), \
      metrics.csv, plot.svg, recipe.yaml, run.json, log.txt, and checkpoint.safetensors, from which \
      --resume goes on bit for bit, whatever ended the run.

        dfkit train --data faces/ --output runs/mine
        dfkit train --data faces/ --recipe dfdc-silver --member 5 --output runs/b4
        dfkit train --data faces.csv --only swap/ --size 96 --output runs/small
        dfkit train --data faces/ --recipe b4.yaml --init b4.pth --output runs/b4
        dfkit train --resume --output runs/b4
        dfkit train --data faces/ --recipe mine.yaml --show-augmentation sheet.png
        dfkit train --data real.csv --fakes self-blended --output runs/real

      With real faces alone (and landmarks, see 'dfkit landmarks'), --fakes self-blended makes the fakes.
      """)

  @Option(
    help: "A folder with a manifest.csv, or a CSV file; may be given several times.",
    completion: .file())
  var data: [String] = []

  @Option(help: "Only samples whose path begins with this.")
  var only: String?

  @Option(help: "Only samples with this in the column origin.")
  var origin: String?

  @Option(help: "The fold to hold out, of those that 'dfkit split --folds' has made.")
  var fold: Int?

  @Option(
    help: "The recipe: a built-in one's name or a YAML file; default if not given.",
    completion: .file())
  var recipe: String?

  @Option(help: "The recipe's member to train: its name, or its number from 1.")
  var member: String?

  @Option(help: "The run's folder.", completion: .directory)
  var output: String?

  @Flag(help: "Go on with the run in the output folder; what is not given is as it was.")
  var resume = false

  @OptionGroup(title: "Initial weights") var initial: InitialOptions

  @OptionGroup(title: "Instead of what the recipe says") var changes: TrainingChanges

  @Option(help: "Minutes between two checkpoints, at most; 10 if not given.")
  var checkpointMinutes: Double = 10

  @Option(help: "Steps between two checkpoints, beside that.")
  var checkpointSteps: Int?

  @Flag(help: "Leave out pictures that cannot be decoded, and say so, instead of stopping.")
  var skipBroken = false

  @Option(
    help: """
      Draw samples as the augmentation changes them, and the fakes that are made, into this PNG, and do not \
      train.
      """)
  var showAugmentation: String?

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print an object of JSON a line for every event.")
  var json = false

  func validate() throws {
    if output == nil && showAugmentation == nil {
      throw ValidationError("Give --output FOLDER.")
    }
    if data.isEmpty && !resume { throw ValidationError("Give --data: a folder or a CSV file.") }
    if resume && showAugmentation != nil {
      throw ValidationError("--resume and --show-augmentation exclude each other.")
    }
    if resume && member != nil && recipe == nil {
      throw ValidationError("--resume goes on with the run's member; leave --member out.")
    }
    guard checkpointMinutes > 0, checkpointMinutes <= 10_000 else {
      throw ValidationError("--checkpoint-minutes must be above 0 and at most 10000.")
    }
    if let fold, fold < 1 { throw ValidationError("--fold must be 1 or more.") }
    if let checkpointSteps, checkpointSteps < 1 {
      throw ValidationError("--checkpoint-steps must be 1 or more.")
    }
  }

  func run() async throws {
    threads.apply()
    let job = try job()
    let (sheet, json) = (showAugmentation, json)
    try await Interruption.handled {
      if let sheet { return try draw(job, to: sheet) }
      let plan = try job.plan()
      let printer = TrainingPrinter(json: json)
      try printer.show(plan)
      defer { printer.clear() }
      try job.run(plan, onEvent: printer.show)
    }
  }

  /// The job that the options tell.
  private func job() throws -> TrainingJob {
    let folder = RunFolder(URL(fileURLWithPath: output ?? "."))
    var job: TrainingJob
    if resume {
      job = try TrainingJob(resuming: folder)
      if recipe != nil {
        let named = try Recipe.named(recipe ?? "")
        job.recipe = named
        job.member = try named.member(member)
        job.options = named.training(of: job.member)
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
    job.checkpointInterval = .seconds(checkpointMinutes * 60)
    job.checkpointSteps = checkpointSteps
    job.initialWeights = initial.weights ?? job.initialWeights
    for remark in initial.weights?.remarks ?? [] { Output.complain(remark) }
    try changes.apply(to: &job)
    return job
  }

  private func draw(_ job: TrainingJob, to path: String) throws {
    let url = URL(fileURLWithPath: path)
    try ImageFile.write(try job.augmentationSheet(), to: url)
    Output.complain("wrote \(url.relativePath)")
  }
}

/// Where training starts.
struct InitialOptions: ParsableArguments {
  @Option(
    name: .customLong("init"),
    help: """
      Weights to start from: any that 'classify' reads, of the same architecture, with either norm and \
      any number of classes; a file, or the name of what 'dfkit weights fetch' has stored.
      """, completion: .file())
  var file: String?

  @Option(help: "Whose checkpoint --init is; recognised from its keys where they tell.")
  var initScheme: Scheme?

  @Option(
    help: "Which state of --init, a PyTorch checkpoint with several, is meant, such as ema.")
  var initState: String?

  @Flag(help: "Begin the last layer anew though that of --init would fit.")
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

  /// What the catalogue says of an entry, whose file may not.
  private static func catalogueScheme(_ name: String) -> Scheme? {
    let entries = (try? WeightsCatalogue.builtIn())?.entries ?? []
    return entries.first { $0.name == name }?.scheme.flatMap(Scheme.init)
  }

  func validate() throws {
    if file == nil, initScheme != nil || initState != nil || newHead {
      throw ValidationError(
        "--init-scheme, --init-state and --new-head are about --init; give that too.")
    }
  }
}

/// Options that take the place of a recipe's.
struct TrainingChanges: ParsableArguments {
  @Option(help: "Epochs, at most.")
  var epochs: Int?

  @Option(help: "Images a batch.")
  var batchSize: Int?

  @Option(help: "Batches whose gradients make one step.")
  var accumulate: Int?

  @Option(help: "The first learning rate.")
  var rate: Float?

  @Option(help: "Where all randomness comes from.")
  var seed: UInt64?

  @Option(help: "The side of the network's input in pixels.")
  var size: Int?

  @Option(help: "The norm.")
  var norm: Norm.Kind?

  @Option(help: "The part that is held out, 0 to 0.9.")
  var holdOut: Float?

  @Option(help: "Epochs without a lower validation loss after which training ends.")
  var earlyStop: Int?

  @Option(help: "none, silver or strong.")
  var augmentation: Augmentation.Preset?

  @Option(
    help: """
      Fakes that are made out of real faces with landmarks: none, or self-blended (half of the fakes shown, \
      or all where the data have none).
      """)
  var fakes: FakeChoice?

  @Option(
    help: "The beginning of parameters' names that stay as they are; may be given several times.")
  var freeze: [String] = []

  @Flag(
    help: """
      Keep blocks' inputs alone and compute the rest once more in backward: much less memory, about a third \
      more time, the same weights.
      """)
  var recompute = false

  func validate() throws {
    if let epochs, !(1...100_000).contains(epochs) {
      throw ValidationError("--epochs must be 1 to 100000.")
    }
    if let batchSize, !(1...4096).contains(batchSize) {
      throw ValidationError("--batch-size must be 1 to 4096.")
    }
    if let accumulate, !(1...4096).contains(accumulate) {
      throw ValidationError("--accumulate must be 1 to 4096.")
    }
    if let rate, !(rate >= 1e-8 && rate <= 10) {
      throw ValidationError("--rate must be 1e-8 to 10.")
    }
    if let seed, seed > UInt64(Int.max) {
      throw ValidationError("--seed must be 0 to \(Int.max).")
    }
    if let size, !(32...4096).contains(size) {
      throw ValidationError("--size must be 32 to 4096.")
    }
    if let holdOut, !(0...0.9).contains(holdOut) {
      throw ValidationError("--hold-out must be 0 to 0.9.")
    }
    if let earlyStop, earlyStop < 1 { throw ValidationError("--early-stop must be 1 or more.") }
  }

  func apply(to job: inout TrainingJob) throws {
    job.options.epochs = epochs ?? job.options.epochs
    job.options.batchSize = batchSize ?? job.options.batchSize
    job.options.accumulate = accumulate ?? job.options.accumulate
    job.options.optimizer.learningRate = rate ?? job.options.optimizer.learningRate
    job.options.seed = seed ?? job.options.seed
    job.options.holdOut = holdOut ?? job.options.holdOut
    job.options.earlyStop = earlyStop ?? job.options.earlyStop
    if let augmentation { job.options.augmentation = Augmentation(preset: augmentation) }
    if let fakes { job.options.fakes = fakes.applied(to: job.options.fakes) }
    if !freeze.isEmpty { job.options.freeze = freeze }
    if recompute { job.options.recompute = true }
    job.member.size = size ?? job.member.size
    if let norm {
      job.member.norm = norm
      if norm == .batch { job.member.groups = nil }
    }
  }
}
