import Classifiers
import DeepfakeCore
import TestSupport
import Testing

/// A checkpoint of `settings` as its scheme publishes it, with values computed from the keys. Batch
/// norms come with the counters that PyTorch saves beside them.
func formulaState(_ settings: ClassifierSettings, varianceScale: Double) -> StateDict {
  let mapping = KeyMapping(settings.scheme, settings.architecture) { _ in false }
  var entries: [StateDict.Entry] = []
  for parameter in settings.makeNetwork().store.parameters {
    let key = mapping.published(parameter.key)
    let shape = parameter.layout.fileShape(parameter.shape)
    let values = Formula.values(key, shape: shape, varianceScale: varianceScale)
    entries.append(StateDict.Entry(key, Tensor(values, shape: shape)))
    if key.hasSuffix(".running_var") {
      let counter = key.dropLast("running_var".count) + "num_batches_tracked"
      entries.append(StateDict.Entry(String(counter), Tensor(scalar: 0)))
    }
  }
  return StateDict(tensors: entries, file: "\(settings.scheme.rawValue).safetensors")
}

/// Every `count / 16`-th element, 16 at most, in PyTorch's order (NCHW).
func samples(_ features: Tensor) -> [Float] {
  let (height, width, channels) = (features.shape[1], features.shape[2], features.shape[3])
  let step = max(1, features.count / 16)
  return stride(from: 0, to: features.count, by: step).prefix(16).map { flat in
    let (rest, column) = flat.quotientAndRemainder(dividingBy: width)
    let (image, row) = rest.quotientAndRemainder(dividingBy: height)
    return features[image / channels, row, column, image % channels]
  }
}

/// A golden vector: what another implementation computed.
struct GoldenVector {
  var name: String
  var settings: ClassifierSettings
  var varianceScale: Double
  var size: Int
  var batch: Int
  var features: [Float]
  var logits: [Float]

  var image: Tensor { Formula.image(name, batch: batch, height: size, width: size) }

  /// Loads the formula's weights and expects the packed network, and the plain one if asked for, to
  /// compute the same.
  func check(plain: Bool) throws {
    let state = formulaState(settings, varianceScale: varianceScale)
    let x = image
    if plain {
      let network = settings.makeNetwork()
      try network.loadWeights(
        state, scheme: settings.scheme, architecture: settings.architecture)
      expectClose(
        samples(network.features(x, .inference)), features, tolerance: 1e-4, "\(name) plain")
      expectClose(network(x).scalars, logits, tolerance: 1e-4, "\(name) plain logits")
    }
    let options = ClassifierOptions(scheme: settings.scheme, groups: groups)
    let model = try ClassifierModel(state, options)
    #expect(model.settings.architecture == settings.architecture)
    #expect(model.settings.norm == settings.norm)
    #expect(model.settings.classCount == settings.classCount)
    expectClose(samples(model.network.features(x)), features, tolerance: 1e-4, "\(name) packed")
    expectClose(model.logits(x).scalars, logits, tolerance: 1e-4, "\(name) packed logits")
  }

  private var groups: Int? {
    if case .group(let groups, _) = settings.norm { groups } else { nil }
  }
}
