import DeepfakeCore

/// How a network's convolutions pad the border. The weights were trained with one of these modes.
package enum PaddingMode: Sendable, Equatable {
  /// Half the kernel on every side, as in PyTorch's own networks.
  case symmetric
  /// TensorFlow's SAME padding, computed from each input's size.
  case sameFromInput
  /// TensorFlow's SAME padding, computed once from the network's native size, for inputs of any
  /// size.
  case sameFromNativeSize
}

/// Everything that defines an EfficientNet except its weights.
package struct EfficientNetConfiguration: Sendable, Equatable {
  /// The member of the family, B0 to B8 or Lite0 to Lite4.
  package var variant: EfficientNetVariant
  /// Number of outputs per image.
  package var classCount: Int
  /// The norm of all layers: batch or group norm, with its parameters.
  package var norm: Norm
  /// How the convolutions pad the border.
  package var padding: PaddingMode
  /// Number of stages, counted from the first. Without the last stages, the network sees small
  /// regions only, so it can rely less on whose face it is (Chai et al., "What makes fake images
  /// detectable?", ECCV 2020).
  package var stageCount: Int
  /// Number of channels of the images.
  package var inputChannels = 3
  /// The dropout probability before the classifier, in training.
  package var dropout: Float
  /// Stochastic depth rate: block i of n is skipped for an image in training with probability
  /// `stochasticDepth` * i / n, so the first block is never skipped.
  package var stochasticDepth: Float

  /// Creates a configuration; nil means all stages, or the variant's own dropout.
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
  /// The configuration as a list of blocks with their shapes.
  package var plan: EfficientNetPlan {
    variant.table.plan(
      stageCount: stageCount, padding: padding, stochasticDepth: stochasticDepth)
  }
}

extension ClassifierNetwork {
  /// Creates an EfficientNet (Tan and Le 2019) with timm's keys and without weights.
  package init(_ configuration: EfficientNetConfiguration) {
    let store = ParameterStore()
    let plan = configuration.plan
    self.init(
      store: store,
      stages: plan.layers(store.root, configuration.norm, inputs: configuration.inputChannels),
      dropout: Dropout(store.root / "dropout", configuration.dropout),
      last: Linear(store.root / "classifier", plan.headChannels, configuration.classCount),
      batchedStage: plan.batchedStage)
  }
}
