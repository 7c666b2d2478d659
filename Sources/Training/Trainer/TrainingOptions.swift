import DeepfakeCore

/// How a network is trained: all that changes the resulting weights, the network and the data aside.
///
/// Made in code, or read from the `training` section of a recipe, whose keys these properties are (see
/// `Docs/Formats.md`).
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
  /// The part of the people or videos that is held out for validation, where the data has no split of
  /// its own.
  public var holdOut: Float = 0.2
  /// The norm that the gradient is scaled down to where it is longer; nil for none.
  public var clip: Float?
  /// How much of its value the moving average of the weights keeps at a step; nil for no average. With
  /// one, the average is what is validated and kept.
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
  /// Whether blocks' activations are computed once more in backward instead of kept: about a third more
  /// time for much less memory, and the same weights.
  public var recompute: Bool = false
  /// Epochs on the validation part, after all others, from the best weights. Nothing validates them.
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

  /// What makes the options unusable, nil if nothing does: values that a program set and no recipe
  /// could hold.
  public var problem: String? {
    let rules: [(Bool, String)] = [
      ((1...100_000).contains(epochs), "epochs must be 1 to 100000"),
      ((1...4096).contains(batchSize), "batchSize must be 1 to 4096"),
      ((1...4096).contains(accumulate), "accumulate must be 1 to 4096"),
      ((0...0.9).contains(holdOut), "holdOut must be 0 to 0.9"),
      (clip.map { $0 > 0 && $0.isFinite } ?? true, "clip must be above 0"),
      (ema.map { $0 > 0 && $0 < 1 } ?? true, "ema must be between 0 and 1"),
      (swa.map { $0.from >= 1 } ?? true, "swa.from must be 1 or more"),
      (earlyStop.map { $0 >= 1 } ?? true, "earlyStop must be 1 or more"),
      (validationEpochs >= 0, "validationEpochs must not be negative"),
      (
        optimizer.learningRate > 0 && optimizer.learningRate.isFinite,
        "learningRate must be above 0"
      ),
      ((0.01...1).contains(optimizer.layerDecay), "layerDecay must be 0.01 to 1"),
    ]
    return rules.first { !$0.0 }?.1 ?? fakes?.problem
  }
}
