import Classifiers
import DeepfakeCore
import Foundation
import Training

/// Trains one member of a recipe on a dataset: what `dfkit train` does.
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
  /// The recipe; its options are those of the member, with what the caller changed.
  public var recipe: Recipe
  /// The network of the recipe that is meant.
  public var member: Recipe.Member
  /// How it is trained.
  public var options: TrainingOptions
  /// Folders with a `manifest.csv`, and CSV files.
  public var data: [URL]
  /// What the paths of samples begin with that count; nil for all.
  public var pathPrefix: String?
  /// The collection of samples that count; nil for all.
  public var origin: String?
  /// The fold that is held out, of those in the column fold; nil where they do not matter.
  public var fold: Int?
  /// Weights to start from; nil for weights from the seed.
  public var initialWeights: InitialWeights?
  /// The run's folder.
  public var folder: RunFolder
  /// Whether a run in the folder is gone on with.
  public var isResuming = false
  /// Whether pictures that cannot be decoded are left out.
  public var skipsBroken = false
  /// When checkpoints are written beside each epoch's end.
  package var checkpoints = CheckpointTimes()
  /// The hash of the weights that a run to go on with started from, where they are not given again.
  var initialDigest: String?
  /// The recipe and the member that a run to go on with began with, as `default/lite0-160`; nil for
  /// those of this job.
  var begunWith: String?

  /// Weights that training starts from.
  public struct InitialWeights: Sendable, Equatable {
    /// Where the weights are read from.
    public var file: URL
    /// Whose checkpoint it is; told from the file if nil.
    public var scheme: Scheme?
    /// The entry of a PyTorch checkpoint that is meant (`StateDict.read`); nil for the usual one.
    public var state: String?
    /// Whether the last layer is kept where its shape is that of the network to train.
    public var keepsHead = true

    /// A file that says itself whose it is.
    public init(_ file: URL) {
      self.file = file
    }

    /// What reading decides that the file leaves open, in sentences for people.
    public var remarks: [String] {
      WeightsSource.file(file, state: state).remarks(ClassifierOptions(scheme: scheme))
    }
  }

  /// A job for a member of a recipe.
  public init(recipe: Recipe, member: Recipe.Member, data: [URL], folder: RunFolder) {
    self.recipe = recipe
    self.member = member
    options = recipe.training(of: member)
    self.data = data
    self.folder = folder
  }

  /// What is to be learned and what it is learned from, checked and ready.
  public struct Plan: Sendable {
    /// Trains.
    public var trainer: Trainer
    /// What to learn from.
    public var training: FaceManifest
    /// The part that judges the network; nil where there is none.
    public var validation: FaceManifest?
    /// Samples in neither.
    public var leftOut: Int
    /// What decided which samples are held out; nil where none are.
    public var rule: DataSplit.Rule?
    /// Columns of the data that have no meaning here.
    public var ignoredColumns: [String]
    /// What became of the weights to start from.
    package var transfer: WeightsTransfer?
    /// What the run is begun with, for its folder.
    package var facts: RunFacts
    /// The recipe with nothing but the member, and nothing left open.
    public var recipe: Recipe
  }

  /// Reads and checks the data, builds the network, and takes initial weights over.
  ///
  /// - Parameter checksFiles: Whether every picture must be there.
  /// - Throws: `DatasetError`, `WeightsError`, `ClassifierError`, `TrainingError`; `RecipeError`
  ///   where a setting has a value that the run's `recipe.yaml` cannot hold.
  public func plan(checksFiles: Bool = true) throws -> Plan {
    let manifest = try readData()
    if checksFiles { try manifest.checkFiles() }
    var training = manifest
    var validation: FaceManifest?
    var rule: DataSplit.Rule?
    if options.holdOut > 0 || manifest.hasSplit || fold != nil {
      var holdOut = HoldOut(fraction: options.holdOut > 0 ? Double(options.holdOut) : 0.2)
      holdOut.fold = fold
      let split = try holdOut.split(manifest)
      (training, validation, rule) = (split.training, split.heldOut, split.rule)
    }
    let state = try initialWeights.map { try StateDict.read($0.file, entry: $0.state) }
    let settings = self.settings(startingFrom: state)
    var network = TrainableNetwork(
      settings, dropout: member.dropout, stochasticDepth: member.stochasticDepth)
    network.metadata.recipe = source
    network.metadata.cropMargin = recipe.crop.margin
    network.metadata.manifestSHA256 = manifest.digest.isEmpty ? nil : manifest.digest
    var transfer: WeightsTransfer?
    if !isResuming, let initialWeights, let state {
      network.network.store.initialize(seed: options.seed)
      transfer = try network.network.takeOver(
        state, scheme: initialWeights.scheme, architecture: settings.architecture,
        keepsHead: initialWeights.keepsHead)
    }
    var trainer = Trainer(network, options)
    trainer.skipsBroken = skipsBroken
    trainer.checkpoints = checkpoints
    let facts = try facts(manifest, network)
    trainer.identity = identity(facts)
    let recipe = resolvedRecipe(settings)
    // A run whose recipe cannot be read again could not be resumed.
    _ = try Recipe(yaml: recipe.yaml, file: folder.recipe.relativePath)
    return Plan(
      trainer: trainer, training: training, validation: validation,
      leftOut: manifest.count - training.count - (validation?.count ?? 0), rule: rule,
      ignoredColumns: manifest.ignoredColumns, transfer: transfer, facts: facts,
      recipe: recipe)
  }

  /// Trains as planned, and writes the recipe and the facts beside the run's own files.
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

  /// Samples of the data as the augmentation changes them.
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

  /// What the network is: as the member says, or the weights to start from.
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
    return settings
  }

  /// The recipe and the member that the run began with.
  private var source: String { begunWith ?? "\(recipe.name)/\(member.name)" }

  /// The recipe that the run's folder gets: it has the folder's name, or if no recipe can have
  /// that, the recipe's and the member's.
  private func resolvedRecipe(_ settings: ClassifierSettings) -> Recipe {
    var own = recipe
    let name = folder.url.lastPathComponent
    own.name = Recipe.isName(name) ? name : "\(recipe.name)-\(member.name)"
    own.training = nil
    own.members = [member]
    // What ships is not what this run makes, nor does what was fitted to that fit this.
    own.members[0].weights = nil
    own.forgetCalibration()
    own.members[0].training = options
    own.members[0].scheme = settings.scheme
    (own.members[0].norm, own.members[0].groups) = (settings.norm.kind, settings.norm.groups)
    own.members[0].stages = settings.stages
    own.members[0].size = settings.input.size
    own.members[0].mean = settings.input.mean
    own.members[0].std = settings.input.std
    return own
  }

  private func facts(
    _ manifest: FaceManifest, _ network: TrainableNetwork
  ) throws(WeightsError) -> RunFacts {
    var facts = RunFacts(
      data: data, digest: manifest.digest, parameters: network.network.store.learnableCount)
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

  /// What must be as it was for a run to go on, beside what the trainer itself compares.
  private func identity(_ facts: RunFacts) -> [String: String] {
    var result = ["recipe": source]
    if let rate = member.dropout { result["members.dropout"] = "\(rate)" }
    if let rate = member.stochasticDepth { result["members.stochasticDepth"] = "\(rate)" }
    let digest = facts.initialWeights?.sha256 ?? initialDigest
    result["initial weights"] = digest.map(RunFacts.InitialWeights.text) ?? "none"
    return result
  }
}
