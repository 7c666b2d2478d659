import DeepfakeCore

/// Shows where in a crop a network sees "fake": gradient-weighted class activation maps (Selvaraju
/// et al., "Grad-CAM", ICCV 2017).
///
/// The heat map is the weighted sum of one stage's channels. A channel's weight is the mean
/// gradient of the log odds with respect to it. Negative sums, which indicate "real", become 0.
/// This works for any network, at any stage.
package struct GradCAM: Sendable {
  /// The settings of the network: its architecture and input.
  package let settings: ClassifierSettings
  package let network: ClassifierNetwork
  /// The LSTM of a sequence network, which then judges the crop as a clip of one frame.
  private var head: SequenceHead?
  /// The index of the stage whose maps are explained, 0 being the stem; nil: the last stage, which
  /// the classifier pools. Values out of range are clamped.
  package var depth: Int?

  /// Explains a network that has its weights.
  package init(_ network: ClassifierNetwork, _ settings: ClassifierSettings) {
    self.network = network
    self.settings = settings
  }

  /// Loads a checkpoint, as `ClassifierModel` does.
  ///
  /// - Throws: `ClassifierError`, `WeightsError`. `ClassifierError.noProbability` if the network
  ///   has more than two outputs, so none of them is known to mean "fake".
  package init(_ state: StateDict, _ options: ClassifierOptions = ClassifierOptions()) throws {
    let frames = state.ofFrameNetwork
    let settings = try ClassifierSettings.resolve(frames, options)
    guard settings.classCount <= 2 else {
      throw ClassifierError.noProbability(classes: settings.classCount)
    }
    let network = settings.makeNetwork()
    try network.loadWeights(
      frames, scheme: settings.scheme, architecture: settings.architecture)
    self.init(network, settings)
    if state.isSequence {
      head = try SequenceHead(loading: state, features: network.featureCount)
    }
  }

  /// The heat map of "fake" for a crop, and its log odds before calibration.
  package func callAsFunction(_ crop: Image) -> (map: HeatMap, logOdds: Float) {
    self(MotionCrop(crop))
  }

  /// The heat map of "fake" for a crop with its later one, and its log odds before calibration. The
  /// map is that of all channels together.
  package func callAsFunction(_ crop: MotionCrop) -> (map: HeatMap, logOdds: Float) {
    self(settings.input.prepare([crop]))
  }

  /// The heat map and the log odds for an input, [1, height, width, channels].
  package func callAsFunction(_ x: Tensor) -> (map: HeatMap, logOdds: Float) {
    precondition(x.rank == 4 && x.shape[0] == 1, "GradCAM: \(x.shape) is not one image")
    let maps = withoutRecording { network.maps(x, .inference) }
    let depth = min(max(depth ?? maps.count - 1, 0), maps.count - 1)
    let seen = maps[depth]
    let (logOdds, gradients) = valueAndGrad(at: [seen]) { inputs in
      guard let head else {
        return Self.logOdds(network.logits(fromMap: inputs[0], at: depth, .inference))
      }
      let features = network.pooled(fromMap: inputs[0], at: depth, .inference)
      return head(features.reshaped([1] + features.shape)).sum()
    }
    let (height, width, channels) = (seen.shape[1], seen.shape[2], seen.shape[3])
    let weights = gradients[0].mean(axes: [0, 1, 2]).scalars
    let values = seen.scalars
    var cells = [Float](repeating: 0, count: width * height)
    for cell in cells.indices {
      var sum: Float = 0
      for channel in 0..<channels { sum += weights[channel] * values[cell * channels + channel] }
      cells[cell] = max(0, sum)
    }
    return (HeatMap(width: width, height: height, values: cells), logOdds)
  }

  /// The log odds as one element: the single logit, or the second of two minus the first.
  private static func logOdds(_ logits: Tensor) -> Tensor {
    guard logits.shape[1] == 2 else { return logits.sum() }
    return (logits * Tensor([-1, 1], shape: [1, 2])).sum()
  }
}
