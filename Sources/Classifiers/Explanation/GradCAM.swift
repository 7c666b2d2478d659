import DeepfakeCore

/// Where a network sees "fake": gradient-weighted class activation maps (Selvaraju et al.,
/// "Grad-CAM", ICCV 2017).
///
/// The maps of a depth are added up, each weighing the mean of the log odds' gradient by it; what
/// is below 0 speaks for "real" and is cut off. Any network that is loaded or trained can be asked,
/// at any depth.
package struct GradCAM: Sendable {
  /// What the network is.
  package let settings: ClassifierSettings
  package let network: ClassifierNetwork
  /// Which of the network's maps are looked at, from the stem on; nil for the last, which the
  /// classifier pools.
  package var depth: Int?

  /// A network with weights.
  package init(_ network: ClassifierNetwork, _ settings: ClassifierSettings) {
    self.network = network
    self.settings = settings
  }

  /// Loads the weights of a checkpoint, as `ClassifierModel` does.
  ///
  /// - Throws: `ClassifierError`, `WeightsError`; `ClassifierError.noProbability` for a network
  ///   with other than one or two outputs, which do not mean "fake".
  package init(_ state: StateDict, _ options: ClassifierOptions = ClassifierOptions()) throws {
    let settings = try ClassifierSettings.resolve(state, options)
    guard settings.classCount <= 2 else {
      throw ClassifierError.noProbability(classes: settings.classCount)
    }
    let network = settings.makeNetwork()
    try network.loadWeights(
      state, scheme: settings.scheme, architecture: settings.architecture)
    self.init(network, settings)
  }

  /// What speaks for "fake" in a crop, and the log odds, not calibrated.
  package func callAsFunction(_ crop: Image) -> (map: HeatMap, logOdds: Float) {
    self(settings.input.prepare([crop]))
  }

  /// The same of an input, [1, height, width, 3].
  package func callAsFunction(_ x: Tensor) -> (map: HeatMap, logOdds: Float) {
    precondition(x.rank == 4 && x.shape[0] == 1, "GradCAM: \(x.shape) is not one image")
    let maps = withoutRecording { network.maps(x, .inference) }
    let depth = min(max(depth ?? maps.count - 1, 0), maps.count - 1)
    let seen = maps[depth]
    let (logOdds, gradients) = valueAndGrad(at: [seen]) { inputs in
      Self.logOdds(network.logits(fromMap: inputs[0], at: depth, .inference))
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

  /// Of one logit itself, of two the second minus the first, as one element.
  private static func logOdds(_ logits: Tensor) -> Tensor {
    guard logits.shape[1] == 2 else { return logits.sum() }
    return (logits * Tensor([-1, 1], shape: [1, 2])).sum()
  }
}
