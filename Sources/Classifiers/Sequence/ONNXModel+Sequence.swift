import DeepfakeCore

extension ONNXModel {
  /// A sequence network as an ONNX model. Its input is the frames of one person in the order of
  /// time, any number of them, as prepared images with the channels first; its output is the
  /// `logit` of "fake" for all of them together, [1, 1].
  ///
  /// A sequence of consecutive frames (`NetworkSettings.FrameSequence.Clips`) takes one clip at a
  /// time.
  ///
  /// - Parameter givesProbability: Whether the output is `probability` instead, with the
  ///   calibration of the weights if they have one.
  /// - Throws: `WeightsError` and `ClassifierError` as for `SequenceScorer`; `ONNXExportError` if
  ///   ONNX cannot say what the network computes.
  package init(
    sequence state: StateDict, _ options: ClassifierOptions = ClassifierOptions(),
    givesProbability: Bool = false
  ) throws {
    let frames = state.ofFrameNetwork
    let settings = try ClassifierSettings.resolve(frames, options)
    let network = settings.makeNetwork()
    try network.loadWeights(frames, scheme: settings.scheme, architecture: settings.architecture)
    let head = try SequenceHead(loading: state, features: network.featureCount)
    let calibration = try ModelMetadata(state).calibration
    let mapping = KeyMapping(settings.scheme, settings.architecture) { _ in false }
    try self.init(
      tracing: ImageInput(
        size: Size2d(settings.input.size), channels: settings.input.channelCount),
      naming: { head.store[$0.key] == nil ? mapping.published($0.key) : $0.key }
    ) { x in
      func logit(_ x: Tensor) -> Tensor {
        // By way of [frames, 1, features], so that the number of frames stays open.
        let frames = network.pooled(x, .inference).reshaped([-1, 1, network.featureCount])
        return head(frames.transposed([1, 0, 2]))
      }
      let logits =
        settings.isMirrored ? logit(x).averaged(withMirrorOf: x, by: logit) : logit(x)
      guard givesProbability else { return [("logit", logits)] }
      return [("probability", logits.probability(calibration))]
    }
    try describe(settings, state)
  }
}
