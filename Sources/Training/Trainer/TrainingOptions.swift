import DeepfakeCore
import Settings

/// How a network is trained: all that changes the resulting weights, the network and the data
/// aside.
///
/// Made in code, or read from the `training` section of a recipe, whose keys these properties are
/// (see `Docs/Formats.md`).
///
/// ```swift
/// var options = TrainingOptions()
/// options.epochs = 10
/// options.optimizer.learningRate = 3e-4
/// options.augmentation = .strong
/// let trainer = Trainer(network, options)
/// ```
public struct TrainingOptions: Sendable, Equatable {
  /// Passes over the training part.
  public var epochs: Int = 20
  /// Images a batch.
  public var batchSize: Int = 20
  /// Batches whose gradients make one step.
  public var accumulate: Int = 1
  /// Where all randomness comes from: first weights of new layers, order, augmentation, dropout.
  public var seed: UInt64 = 1
  /// How weights are changed.
  public var optimizer = OptimizerOptions()
  /// How the learning rate goes down.
  public var schedule = ScheduleOptions()
  /// What is made small.
  public var loss = LossOptions()
  /// How pictures are changed at random, and mixed.
  public var augmentation: Augmentation = .silver
  /// The fakes that are made out of real faces; nil for none.
  public var fakes: FakeOptions?
  /// In which order samples come.
  public var sampling: Sampler.Order = .shuffled
  /// The part of the people or videos that is held out for validation, where the data has no split
  /// of its own.
  public var holdOut: Float = 0.2
  /// The norm that the gradient is scaled down to where it is longer; nil for none.
  public var clip: Float?
  /// How much of its value the moving average of the weights keeps at a step; nil for no average.
  /// With one, the average is what is validated and kept.
  public var ema: Float?
  /// The averaging of whole epochs' weights; nil for none.
  public var swa: WeightAveragingOptions?
  /// Epochs without a lower validation loss after which training ends; nil for none.
  public var earlyStop: Int?
  /// Beginnings of the keys of parameters that stay as they are.
  public var freeze: [String] = []
  /// Whether batch norm keeps the running statistics that it starts with and uses them in training,
  /// too.
  public var freezeStatistics: Bool = false
  /// Whether blocks' activations are computed once more in backward instead of kept: about a third
  /// more time for much less memory, and the same weights.
  public var recompute: Bool = false
  /// Epochs on the validation part, after all others, from the best weights. Nothing validates
  /// them.
  public var validationEpochs: Int = 0

  /// The defaults: the recipe of the built-in ensemble.
  public init() {}
}

extension TrainingOptions {
  /// Weights averaged over epochs (Izmailov et al. 2018).
  public struct WeightAveragingOptions: Sendable, Equatable {
    /// The first epoch, from 1, whose weights count.
    public var from: Int
    /// The learning rate from then on; nil leaves it to the schedule.
    public var learningRate: Float?

    /// An average from epoch `from` on.
    public init(from: Int, learningRate: Float? = nil) {
      self.from = from
      self.learningRate = learningRate
    }
  }
}

extension TrainingOptions: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value(
      "epochs", &epochs, .whole(in: 1...100_000),
      "The maximum number of passes over the training part.")
    try fields.value(
      "batchSize", &batchSize, .whole(in: 1...4096), "The number of images in a batch.")
    try fields.value(
      "accumulate", &accumulate, .whole(in: 1...4096),
      "The number of batches whose gradients are combined for one step.")
    try fields.value(
      "seed", &seed, .whole(in: 0...UInt64(Int.max)),
      "Random seed; the same seed gives the same weights.")
    try fields.section("optimizer", &optimizer)
    try fields.section("schedule", &schedule)
    try fields.section("loss", &loss)
    try augmentation.describe("augmentation", &fields)
    try fields.section(
      "fakes", &fakes, from: FakeOptions(), hasNone: true, shorthand: "kind",
      "Fakes made from real faces with landmarks.",
      more: "`none`, `self-blended`, or a mapping of the settings to change")
    try fields.value(
      "sampling", &sampling, .choice, "The order of the samples in an epoch.",
      more: """
        `balanced`: as many real as fake samples; `people`: the same, and every person and every \
        video equally often; `pairs`: the same as `balanced`, with each fake next to a real crop \
        of its `original`, so that the two differ in neither person nor scene
        """)
    try fields.value(
      "holdOut", &holdOut, .number(in: 0...0.9),
      "The fraction held out for validation if the data has no split of its own (0: nothing).")
    try fields.optional(
      "clip", &clip, .number(in: 1e-6...1e6), hasNone: true,
      "The maximum norm of the gradient; a longer gradient is scaled down to it.")
    try fields.optional(
      "ema", &ema, .number(in: 0.5...0.999_999), hasNone: true,
      "The decay of the moving average of the weights: the fraction of its value kept at a step.",
      more: "The fraction is smaller in the first steps. The average is validated and saved")
    try fields.section(
      "swa", &swa, from: WeightAveragingOptions(from: 0), hasNone: true,
      "Stochastic weight averaging: the mean of the weights after several epochs.",
      more: "The mean is validated and saved")
    try fields.optional(
      "earlyStop", &earlyStop, .whole(in: 1...100_000), hasNone: true,
      "The number of epochs without a lower validation loss after which training ends.")
    try fields.value(
      "freeze", &freeze, .texts(limit: 64),
      "The prefixes of the names of parameters to freeze, such as `[conv_stem, blocks.0]`.")
    // Runs that were begun before there was such a key say nothing of it.
    try fields.value(
      "freezeStatistics", &freezeStatistics, .flag, isHidden: { !$0 },
      "Whether the running statistics of batch norm are frozen.",
      more: "They are then also used in training")
    try fields.value(
      "recompute", &recompute, .flag,
      """
      Whether blocks keep only their inputs and compute everything else again in the backward \
      pass: much less memory, about a third more time, the same weights.
      """)
    try fields.value(
      "validationEpochs", &validationEpochs, .whole(in: 0...1000),
      "Final epochs on the validation part, from the best weights, at the last learning rate.")
  }
}

extension TrainingOptions.WeightAveragingOptions: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value(
      "from", &from, .whole(in: 1...100_000), isNeeded: from == 0,
      "The first epoch whose weights are averaged.")
    try fields.optional(
      "learningRate", &learningRate, .number(in: 1e-8...10),
      "The learning rate from that epoch on; if absent, the schedule's.")
  }
}
