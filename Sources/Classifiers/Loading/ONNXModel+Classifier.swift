import DeepfakeCore

extension ONNXModel {
  /// A classifier as an ONNX model. Its input is a batch of prepared images (see
  /// `InputSpec.prepare`), channels first; its output is `logits`, [batch, classes].
  ///
  /// ```swift
  /// let weights = try StateDict.read(URL(fileURLWithPath: "b4.safetensors"))
  /// try ONNXModel(classifier: weights).write(to: URL(fileURLWithPath: "b4.onnx"))
  /// ```
  ///
  /// - Parameters:
  ///   - state: The weights; their metadata say which network they are for.
  ///   - options: What the metadata do not say, or say otherwise.
  ///   - givesProbability: Whether the output is `probability`, [batch, 1], instead: that of
  ///     "fake", with the calibration of the weights if they have one.
  /// - Throws: `WeightsError` and `ClassifierError` as for `ClassifierModel`; `ONNXExportError` if
  ///   ONNX cannot say what the network computes.
  public init(
    classifier state: StateDict, _ options: ClassifierOptions = ClassifierOptions(),
    givesProbability: Bool = false
  ) throws {
    let settings = try ClassifierSettings.resolve(state, options)
    guard !givesProbability || settings.classCount <= 2 else {
      throw ClassifierError.noProbability(classes: settings.classCount)
    }
    let network = settings.makeNetwork()
    try network.loadWeights(state, scheme: settings.scheme, architecture: settings.architecture)
    let mapping = KeyMapping(settings.scheme, settings.architecture) { _ in false }
    try self.init(
      tracing: ImageInput(
        size: Size2d(settings.input.size), channels: settings.input.channelCount),
      naming: { mapping.published($0.key) }
    ) { x in
      var logits = network(x, .inference)
      if settings.isMirrored {
        logits = logits.averaged(withMirrorOf: x) { network($0, .inference) }
      }
      guard givesProbability else { return [("logits", logits)] }
      let logOdds =
        settings.classCount == 1
        ? logits : logits.slice(axis: 1, 1..<2) - logits.slice(axis: 1, 0..<1)
      return [("probability", logOdds.probability(settings.calibration))]
    }
    try describe(settings, state)
  }

  /// Sets the name and the description of a network with the settings of `state`.
  mutating func describe(_ settings: ClassifierSettings, _ state: StateDict) throws(WeightsError) {
    name = settings.architecture.rawValue
    var description = try ModelMetadata(state)
    let sequence = description.sequence
    description.describe(settings)
    description.sequence = sequence
    if settings.classCount <= 2, description.labels == nil {
      description.labels = ["real", "fake"]
    }
    // The familiarity's tensors are no part of the network.
    description.other = description.other.filter { !Familiarity.isEntry($0.key) }
    describe(description)
    if let difference = settings.input.difference {
      metadata["input"] =
        (metadata["input"].map { $0 + "; then " } ?? "") + difference.channelsInWords
    }
    if settings.isMirrored { metadata["graph.mirrored"] = "true" }
  }
}

extension Tensor {
  /// The probabilities of these log odds, with a calibration if there is one.
  func probability(_ calibration: LogitCalibration?) -> Tensor {
    let calibration = calibration ?? .identity
    return (self * Float(calibration.scale) + Float(calibration.offset)).sigmoid()
  }
}

extension InputSpec.Difference {
  /// The further channels, for people who prepare the input themselves.
  fileprivate var channelsInWords: String {
    let time = "byte of the same place \(seconds) s later - byte"
    return switch channels {
    case .luma:
      "1 channel with the difference of luma (0.299 red + 0.587 green + 0.114 blue):"
        + " luma of (\(time)) / 255 / luma of std"
    case .rgb: "3 channels with the differences: (\(time)) / 255 / std"
    }
  }
}
