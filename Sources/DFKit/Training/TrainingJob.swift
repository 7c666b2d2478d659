import Classifiers
import DeepfakeCore
import Foundation
import Training

/// Trains one member of a recipe on a dataset: the work of `dfkit train`.
///
/// ```swift
/// let recipe = try Recipe.named("dfdc-silver")
/// let job = try TrainingJob(
///   recipe: recipe, member: recipe.member("b4-224-aug"), data: [faces],
///   folder: RunFolder(output))
/// let result = try job.run(job.plan())
/// print(result.best.path)
/// ```
public struct TrainingJob: Sendable {
  /// The recipe. For the training, `options` replaces the member's options in it.
  public var recipe: Recipe
  /// The member of the recipe to train.
  public var member: Recipe.Member
  /// The training's options: those of the member, unless the caller changed them.
  public var options: TrainingOptions
  /// Folders with a `manifest.csv`, or CSV files.
  public var data: [URL]
  /// If set, only samples whose path begins with this are used.
  public var pathPrefix: String?
  /// If set, only samples of this collection (column `origin`) are used.
  public var origin: String?
  /// The fold, of those in the column `fold`, that is held out; nil: folds are not used.
  public var fold: Int?
  /// The weights to start from; nil: random weights from the seed.
  public var initialWeights: InitialWeights?
  /// The folder for checkpoints, metrics and weights.
  public var folder: RunFolder
  /// Whether to continue the run in the folder from its last checkpoint.
  public var isResuming = false
  /// Whether pictures that cannot be decoded are left out. If false, they are an error.
  public var skipsBroken = false
  /// When checkpoints are written in addition to those at the end of each epoch.
  package var checkpoints = CheckpointTimes()
  /// For a resumed run, the hash of the weights that it started from. Used if the weights are not
  /// given again.
  var initialDigest: String?
  /// For a resumed run, the recipe and member that it began with, as `default/lite0-160`; nil:
  /// those of this job.
  var begunWith: String?

  /// Weights that training starts from.
  public struct InitialWeights: Sendable, Equatable {
    /// Any weights file that `classify` reads, of the same architecture.
    public var file: URL
    /// The scheme of the checkpoint's keys; nil: recognised from the file.
    public var scheme: Scheme?
    /// The entry to take from a PyTorch checkpoint (`StateDict.read`); nil: the default one.
    public var state: String?
    /// Whether the weights of the last layer are kept. They are kept only if its shape equals that
    /// of the network to train.
    public var keepsHead = true

    /// Weights whose scheme is recognised from the file.
    public init(_ file: URL) {
      self.file = file
    }

    /// Remarks on what was assumed about the file because it does not say, in sentences.
    public var remarks: [String] {
      WeightsSource.file(file, state: state).remarks(ClassifierOptions(scheme: scheme))
    }
  }

  /// A job for a member of a recipe, with the recipe's training options for it.
  public init(recipe: Recipe, member: Recipe.Member, data: [URL], folder: RunFolder) {
    self.recipe = recipe
    self.member = member
    options = recipe.training(of: member)
    self.data = data
    self.folder = folder
  }

  /// A checked training: the data, the network and the trainer, ready to run.
  public struct Plan: Sendable {
    /// Trains the network.
    public var trainer: Trainer
    /// The samples to train on.
    public var training: FaceManifest
    /// The samples for validation; nil if none are held out.
    public var validation: FaceManifest?
    /// The number of samples in neither part.
    public var leftOut: Int
    /// How many of `leftOut` are pseudo-labelled and linked with held-out samples.
    package var pseudoLabelledLeftOut: Int
    /// The rule that decided which samples are held out; nil if none are.
    public var rule: DataSplit.Rule?
    /// Columns of the manifests that are not used.
    public var ignoredColumns: [String]
    /// Which initial weights were taken over; nil if there are none or the run is resumed.
    package var transfer: WeightsTransfer?
    /// The content of the run's `run.json`.
    package var facts: RunFacts
    /// The recipe reduced to the trained member, with all settings resolved.
    public var recipe: Recipe
  }

  /// Reads and checks the data, builds the network and loads the initial weights.
  ///
  /// - Parameter checksFiles: Whether to check that every picture exists.
  /// - Throws: `DatasetError`, `WeightsError`, `ClassifierError`, `TrainingError`; `RecipeError` if
  ///   a setting has a value that the run's `recipe.yaml` cannot hold.
  public func plan(checksFiles: Bool = true) throws -> Plan {
    let manifest = try readData()
    if checksFiles { try manifest.checkFiles() }
    var training = manifest
    var validation: FaceManifest?
    var rule: DataSplit.Rule?
    var pseudoLabelledLeftOut = 0
    if options.holdOut > 0 || manifest.hasSplit || fold != nil {
      var holdOut = HoldOut(fraction: options.holdOut > 0 ? Double(options.holdOut) : 0.2)
      holdOut.fold = fold
      let split = try holdOut.split(manifest)
      (training, validation, rule) = (split.training, split.heldOut, split.rule)
      pseudoLabelledLeftOut = split.pseudoLabelledLeftOut
    }
    let state = try initialWeights.map {
      try StateDict.read($0.file, entry: $0.state).namedByGraph()
    }
    let settings = self.settings(startingFrom: state?.ofFrameNetwork)
    try checkDifference(settings)
    var network = TrainableNetwork(
      settings, dropout: member.dropout, stochasticDepth: member.stochasticDepth,
      sequence: member.sequence)
    if member.sequence != nil, state == nil, !options.endToEnd, !isResuming {
      throw TrainingError.unusable(
        problem: "\(member.name) is a sequence, which learns from the features of a trained"
          + " network: give its weights with --init, or let the network learn, too (--end-to-end)")
    }
    network.metadata.recipe = source
    network.metadata.cropMargin = recipe.crop.margin
    network.metadata.manifestSHA256 = manifest.digest.isEmpty ? nil : manifest.digest
    var transfer: WeightsTransfer?
    if !isResuming, let initialWeights, let state {
      network.network.store.initialize(seed: options.seed)
      transfer = try network.network.transferWeights(
        state.ofFrameNetwork, scheme: initialWeights.scheme, architecture: settings.architecture,
        keepsHead: initialWeights.keepsHead)
      if let head = network.head, state.isSequence, initialWeights.keepsHead {
        try head.store.load(state.ofSequenceHead)
      }
    }
    var trainer = Trainer(network, options)
    trainer.skipsBroken = skipsBroken
    trainer.checkpoints = checkpoints
    trainer.featureFolder = UserFolder.cache("features", ProcessInfo.processInfo.environment)
    let facts = try facts(manifest, network)
    trainer.identity = identity(facts)
    let recipe = resolvedRecipe(settings)
    // Parse the recipe now: a run whose recipe cannot be read could not be resumed.
    _ = try Recipe(yaml: recipe.yaml, file: folder.recipe.relativePath)
    return Plan(
      trainer: trainer, training: training, validation: validation,
      leftOut: manifest.count - training.count - (validation?.count ?? 0),
      pseudoLabelledLeftOut: pseudoLabelledLeftOut, rule: rule,
      ignoredColumns: manifest.ignoredColumns, transfer: transfer, facts: facts,
      recipe: recipe)
  }

  /// Trains as planned. Also writes the recipe and the facts into the run's folder, unless the run
  /// is resumed.
  @discardableResult
  public func run(
    _ plan: Plan, onEvent: (TrainingEvent) throws -> Void = { _ in }
  ) throws -> TrainingResult {
    try plan.trainer.run(
      training: plan.training, validation: plan.validation, in: folder, resuming: isResuming
    ) { event in
      if case .begins = event, !isResuming { try writeBeginning(plan) }
      try onEvent(event)
    }
  }

  /// A picture of samples of the data after augmentation.
  public func augmentationSheet() throws -> Image {
    let input = settings(startingFrom: nil).input
    var sheet = AugmentationSheet(options.augmentation, input: input)
    sheet.seed = options.seed
    sheet.fakes = options.fakes
    return try sheet.image(of: try readData())
  }

  private func writeBeginning(_ plan: Plan) throws {
    try folder.write(Data(plan.recipe.yaml.utf8), to: folder.recipe)
    try folder.write(plan.facts.json, to: folder.facts)
    if let transfer = plan.transfer, let file = initialWeights?.file {
      try folder.log("starts from \(file.path)\n\(transfer.details)")
    }
  }

  private func readData() throws -> FaceManifest {
    var manifests: [FaceManifest] = []
    for url in data { manifests.append(try FaceManifest.read(url)) }
    var manifest = try FaceManifest.joined(manifests)
    if pathPrefix != nil || origin != nil {
      manifest = manifest.filtered(pathPrefix: pathPrefix, origin: origin)
      let filter = [
        pathPrefix.map { "paths that begin with '\($0)'" }, origin.map { "origin '\($0)'" },
      ]
      .compactMap { $0 }.joined(separator: " and ")
      guard !manifest.isEmpty else {
        throw TrainingError.unusable(problem: "the data has no samples with \(filter)")
      }
    }
    return manifest
  }

  /// The network's settings: first those of the member, then those of the initial weights, then the
  /// defaults.
  private func settings(startingFrom state: StateDict?) -> ClassifierSettings {
    let found = state.flatMap {
      try? ClassifierSettings.resolve(
        $0, ClassifierOptions(architecture: member.architecture, scheme: initialWeights?.scheme))
    }
    var settings = ClassifierSettings(member.architecture, scheme: member.scheme ?? found?.scheme)
    switch member.norm {
    case .group?: settings.norm = .group(groups: member.groups ?? 8)
    case .batch?: break
    case nil: settings.norm = found?.norm ?? settings.norm
    }
    settings.stages = member.stages ?? found?.stages
    if let size = member.size ?? found?.input.size { settings.input.size = size }
    if let mean = member.mean ?? found?.input.mean { settings.input.mean = mean }
    if let std = member.std ?? found?.input.std { settings.input.std = std }
    settings.input.difference = found?.input.difference
    if let seconds = member.difference {
      settings.input.difference = .init(
        seconds: seconds, channels: settings.input.difference?.channels ?? .luma)
    }
    if let channels = member.differenceChannels { settings.input.difference?.channels = channels }
    return settings
  }

  /// Throws if the network cannot read the difference to a later frame as asked.
  private func checkDifference(_ settings: ClassifierSettings) throws(TrainingError) {
    if settings.input.difference != nil, let problem = settings.architecture.differenceProblem {
      throw .unusable(problem: "members.\(member.name).input \(problem)")
    }
    guard settings.input.difference != nil || member.differenceChannels == nil else {
      throw .unusable(
        problem: "members.\(member.name).input has channels, but no difference; give its time in"
          + " seconds (difference: 0.04)")
    }
  }

  /// The recipe and member that the run began with, as `default/lite0-160`.
  private var source: String { begunWith ?? "\(recipe.name)/\(member.name)" }

  /// The recipe for the run's folder. Its name is the folder's, or, if that is not a valid recipe
  /// name, the recipe's and the member's.
  private func resolvedRecipe(_ settings: ClassifierSettings) -> Recipe {
    var own = recipe
    let name = folder.url.lastPathComponent
    own.name = Recipe.isName(name) ? name : "\(recipe.name)-\(member.name)"
    own.training = nil
    own.members = [member]
    // Weights that ship are not the weights of this run, and a calibration fitted to them does not
    // apply.
    own.members[0].weights = nil
    own.forgetCalibration()
    own.members[0].training = options
    own.members[0].scheme = settings.scheme
    (own.members[0].norm, own.members[0].groups) = (settings.norm.kind, settings.norm.groups)
    own.members[0].stages = settings.stages
    own.members[0].size = settings.input.size
    own.members[0].mean = settings.input.mean
    own.members[0].std = settings.input.std
    own.members[0].difference = settings.input.difference?.seconds
    own.members[0].differenceChannels = settings.input.difference?.channels
    return own
  }

  private func facts(
    _ manifest: FaceManifest, _ network: TrainableNetwork
  ) throws(WeightsError) -> RunFacts {
    var facts = RunFacts(
      data: data, digest: manifest.digest,
      parameters: network.learnedStore(endToEnd: options.endToEnd).learnableCount)
    facts.recipe = recipe.name
    facts.member = member.name
    facts.pathPrefix = pathPrefix
    facts.origin = origin
    facts.fold = fold
    facts.skipsBroken = skipsBroken
    guard let initialWeights else { return facts }
    var weights = try RunFacts.InitialWeights(initialWeights.file)
    weights.scheme = initialWeights.scheme?.rawValue
    weights.state = initialWeights.state
    weights.keepsHead = initialWeights.keepsHead
    facts.initialWeights = weights
    return facts
  }

  /// The settings that must not change when a run is resumed, in addition to those that the trainer
  /// compares.
  private func identity(_ facts: RunFacts) -> [String: String] {
    var result = ["recipe": source]
    if let rate = member.dropout { result["members.dropout"] = "\(rate)" }
    if let rate = member.stochasticDepth { result["members.stochasticDepth"] = "\(rate)" }
    let digest = facts.initialWeights?.sha256 ?? initialDigest
    result["initial weights"] = digest.map(RunFacts.InitialWeights.text) ?? "none"
    return result
  }
}
