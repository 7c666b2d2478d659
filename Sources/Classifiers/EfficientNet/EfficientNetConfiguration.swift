import DeepfakeCore

/// How a network's convolutions treat the border; it belongs to the weights.
package enum PaddingMode: Sendable, Equatable {
  /// Half the kernel on every side, as PyTorch's own networks.
  case symmetric
  /// TensorFlow's SAME, computed from each input.
  case sameFromInput
  /// TensorFlow's SAME, computed once for the network's native size, whatever the input's.
  case sameFromNativeSize
}

/// All that defines an EfficientNet but its weights.
package struct EfficientNetConfiguration: Sendable, Equatable {
  /// Which member of the family.
  package var variant: EfficientNetVariant
  /// Outputs.
  package var classCount: Int
  /// The norm everywhere.
  package var norm: Norm
  /// The convolutions' borders.
  package var padding: PaddingMode
  /// The stages that are there, from the first. A network without the last ones sees small regions
  /// only, which makes it harder to go by whose face it is (Chai et al., "What makes fake images
  /// detectable?", ECCV 2020).
  package var stageCount: Int
  /// The probability of dropout before the classifier, in training.
  package var dropout: Float
  /// The probability that the last block is skipped for an image in training; earlier blocks' are
  /// proportionally smaller, the first's 0.
  package var stochasticDepth: Float

  /// A member with its own dropout unless another is given.
  package init(
    _ variant: EfficientNetVariant, classCount: Int = 1, norm: Norm = .batch,
    padding: PaddingMode = .symmetric, stageCount: Int? = nil, dropout: Float? = nil,
    stochasticDepth: Float = 0.2
  ) {
    let stages = stageCount ?? EfficientNetVariant.stages.count
    precondition(classCount > 0, "EfficientNet: \(classCount) classes")
    precondition(
      (1...EfficientNetVariant.stages.count).contains(stages), "EfficientNet: \(stages) stages")
    self.variant = variant
    self.classCount = classCount
    self.norm = norm
    self.padding = padding
    self.stageCount = stages
    self.dropout = dropout ?? variant.dropout
    self.stochasticDepth = stochasticDepth
  }
}

extension EfficientNetConfiguration {
  /// The network spelled out.
  package var plan: EfficientNetPlan {
    variant.table.plan(
      stageCount: stageCount, padding: padding, stochasticDepth: stochasticDepth)
  }
}

extension ClassifierNetwork {
  /// An EfficientNet (Tan and Le 2019) under timm's keys, without weights.
  package init(_ configuration: EfficientNetConfiguration) {
    let store = ParameterStore()
    let plan = configuration.plan
    self.init(
      store: store, stages: plan.layers(store.root, configuration.norm),
      dropout: Dropout(store.root / "dropout", configuration.dropout),
      last: Linear(store.root / "classifier", plan.headChannels, configuration.classCount),
      batchedStage: plan.batchedStage)
  }
}
