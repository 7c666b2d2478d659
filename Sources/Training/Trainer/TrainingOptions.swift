import DeepfakeCore
import Settings

/// The settings of training: all that changes the resulting weights, except the network and the
/// data.
///
/// They are made in code or read from the `training` section of a recipe. The properties are the
/// keys of that section (see `Docs/Formats.md`).
///
/// ```swift
/// var options = TrainingOptions()
/// options.epochs = 10
/// options.optimizer.learningRate = 3e-4
/// options.augmentation = .strong
/// let trainer = Trainer(network, options)
/// ```
public struct TrainingOptions: Sendable, Equatable {
  /// Maximum number of passes over the training part.
  public var epochs: Int = 20
  /// Number of images in a batch.
  public var batchSize: Int = 20
  /// Number of batches whose gradients are added up for one step.
  public var accumulate: Int = 1
  /// Random seed of the initial weights of new layers, the order, the augmentation and dropout.
  public var seed: UInt64 = 1
  /// The optimiser of the weights.
  public var optimizer = OptimizerOptions()
  /// The schedule of the learning rate.
  public var schedule = ScheduleOptions()
  /// The loss that is minimised.
  public var loss = LossOptions()
  /// Random changes of pictures, and mixup.
  public var augmentation: Augmentation = .silver
  /// The fakes that are made out of real faces; nil: none are made.
  public var fakes: FakeOptions?
  /// The order of samples.
  public var sampling: Sampler.Order = .shuffled
  /// The fraction of the samples held out for validation, in whole people or videos, if the data
  /// has no split of its own.
  public var holdOut: Float = 0.2
  /// The norm that a longer gradient is scaled down to; nil: no clipping.
  public var clip: Float?
  /// Decay of the moving average of the weights in each step; nil: no average. With an average, it
  /// is validated and saved.
  public var ema: Float?
  /// Stochastic weight averaging over whole epochs; nil: none.
  public var swa: WeightAveragingOptions?
  /// Number of epochs without a lower validation loss after which training ends; nil: no early
  /// stop.
  public var earlyStop: Int?
  /// Prefixes of the keys of parameters that are frozen.
  public var freeze: [String] = []
  /// Whether batch norm keeps its initial running statistics and uses them in training, too.
  public var freezeStatistics: Bool = false
  /// Whether the network of a sequence learns together with its LSTM. Otherwise the LSTM learns
  /// from the features of the frozen network, which are computed once.
  public var endToEnd: Bool = false
  /// Whether activations of blocks are computed again in the backward pass, not kept. This takes
  /// about a third more time and much less memory; the weights are the same.
  public var recompute: Bool = false
  /// Number of epochs on the validation part, after all others and from the best weights. They are
  /// not validated.
  public var validationEpochs: Int = 0

  /// The default settings, those of the built-in ensemble's recipe.
  public init() {}
}

extension TrainingOptions {
  /// Weights averaged over epochs (Izmailov et al. 2018).
  public struct WeightAveragingOptions: Sendable, Equatable {
    /// The first epoch, from 1, whose weights are averaged.
    public var from: Int
    /// The learning rate from that epoch on; nil: that of the schedule.
    public var learningRate: Float?

    /// Averages the weights from epoch `from` on.
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
    // Hidden at its default value, so that older runs without this key can be resumed.
    try fields.value(
      "freezeStatistics", &freezeStatistics, .flag, isHidden: { !$0 },
      "Whether the running statistics of batch norm are frozen.",
      more: "They are then also used in training")
    try fields.value(
      "endToEnd", &endToEnd, .flag, isHidden: { !$0 },
      "Whether the network of a member of the kind `sequence` learns together with its LSTM.",
      more: """
        `false`: the network is frozen; its features are computed once and kept on disk, and \
        `augmentation` does not apply (half of the clips are mirrored)
        """)
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
