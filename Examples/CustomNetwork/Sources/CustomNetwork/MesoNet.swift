// MesoNet (Afchar, Nozick, Yamagishi and Echizen, "MesoNet: a Compact Facial Video Forgery
// Detection Network", 2018, arXiv 1809.00888): two small networks for textures at a scale between
// single pixels and whole faces. This file has everything that dfkit needs to know about them.
import DFKit

/// The family of Meso4 and MesoInception-4.
struct MesoNet: ClassifierFamily {
  static let meso4 = Architecture("meso4")
  static let mesoInception4 = Architecture("mesoinception4")
  /// The scheme of weights files, whose keys are those of the layers in this file.
  static let scheme = Scheme("mesonet")

  let architectures = [meso4, mesoInception4]
  let schemes = [scheme]
  /// Both networks have these last layers, and no other family's files have these keys.
  let identifyingKeys: [(scheme: Scheme, keys: [String])] = [
    (scheme, ["conv3.weight", "conv4.weight", "fc1.weight", "fc2.weight"])
  ]

  /// 256 pixels in 0...1, as published. The size decides the inputs of the first fully connected
  /// layer; it should be a multiple of 32.
  func input(_ architecture: Architecture, _ scheme: Scheme) -> InputSpec {
    InputSpec(size: 256, mean: [0, 0, 0], std: [1, 1, 1])
  }

  /// 1e-3, the default of Keras, in which MesoNet was published.
  func batchNormEpsilon(_ architecture: Architecture, _ scheme: Scheme) -> Float { 1e-3 }

  func recognises(_ architecture: Architecture, in checkpoint: PublishedKeys) -> Bool {
    checkpoint.shape(architecture == Self.meso4 ? "conv1.weight" : "inception1.0.0.weight") != nil
  }

  func makeNetwork(
    _ settings: ClassifierSettings, dropout: Float?, stochasticDepth: Float?
  ) -> ClassifierNetwork {
    let builder = Builder(store: ParameterStore(), norm: settings.norm)
    let root = builder.store.root
    let first =
      settings.architecture == Self.meso4
      ? [
        builder.stage(1, builder.conv(root / "conv1", 3, 8, kernel: 3), 8, pool: 2),
        builder.stage(2, builder.conv(root / "conv2", 8, 8, kernel: 5), 8, pool: 2),
      ]
      : [
        builder.stage(1, [builder.inception(root / "inception1", 3, 1, 4, 4, 2)], 11, pool: 2),
        builder.stage(2, [builder.inception(root / "inception2", 11, 2, 4, 4, 2)], 12, pool: 2),
      ]
    let channels = settings.architecture == Self.meso4 ? 8 : 12
    let last = [
      builder.stage(3, builder.conv(root / "conv3", channels, 16, kernel: 5), 16, pool: 2),
      builder.stage(4, builder.conv(root / "conv4", 16, 16, kernel: 5), 16, pool: 4),
    ]
    // The side of the last maps; each pooling rounds up.
    let side = [2, 2, 2, 4].reduce(settings.input.size) { ($0 + $1 - 1) / $1 }
    let rate = dropout ?? 0.5
    let pooling: [any Module] = [
      FunctionLayer { $0.reshaped([$0.shape[0], side * side * 16]) },
      Dropout(root / "dropout1", rate), Linear(root / "fc1", side * side * 16, 16),
      FunctionLayer { $0.leakyReLU(slope: 0.1) },
    ]
    return ClassifierNetwork(
      store: builder.store, stages: first + last, pooling: pooling,
      dropout: Dropout(root / "dropout2", rate),
      last: Linear(root / "fc2", 16, settings.classCount))
  }
}

/// Creates layers with their parameters in one store.
private struct Builder {
  let store: ParameterStore
  let norm: Norm

  /// The given layers, a norm, and max pooling over `pool` x `pool` pixels.
  func stage(
    _ number: Int, _ layers: [any Module], _ channels: Int, pool: Int
  ) -> [any Module] {
    layers + [
      NormLayer(store.root / "bn\(number)", channels, norm),
      FunctionLayer { $0.maxPool(Size2d(pool), ceilMode: true) },
    ]
  }

  /// A convolution that keeps the size of the maps, and a ReLU.
  func conv(
    _ scope: Scope, _ inputs: Int, _ outputs: Int, kernel: Int, dilation: Int = 1
  ) -> [any Module] {
    [
      Conv2d(
        scope, inputs, outputs, kernel: kernel, padding: .symmetric(dilation * (kernel / 2)),
        dilation: dilation),
      FunctionLayer { $0.relu() },
    ]
  }

  /// Four parallel branches with `a`, `b`, `c` and `d` output channels. The last three have
  /// increasing dilation and see larger surroundings.
  func inception(
    _ scope: Scope, _ inputs: Int, _ a: Int, _ b: Int, _ c: Int, _ d: Int
  ) -> any Module {
    func branch(_ index: Int, _ channels: Int, dilation: Int) -> [any Module] {
      conv(scope / index / 0, inputs, channels, kernel: 1)
        + conv(scope / index / 1, channels, channels, kernel: 3, dilation: dilation)
    }
    return Branches([
      conv(scope / 0 / 0, inputs, a, kernel: 1), branch(1, b, dilation: 1),
      branch(2, c, dilation: 2), branch(3, d, dilation: 3),
    ])
  }
}
