import DeepfakeCore

/// The feature pyramid (Lin et al. 2017): coarse features are added to finer ones, top down.
struct Pyramid<Block: ConvolutionBlock>: Sendable {
  /// One a level, finest first.
  let laterals: [Block]
  /// One a level but the coarsest.
  let merges: [Block]

  /// The pyramid's maps for a backbone's features, finest first.
  func callAsFunction(_ features: [Tensor], _ mode: Mode) -> [Tensor] {
    let coarsest = features.count - 1
    var maps = [laterals[coarsest](features[coarsest], mode)]
    for level in (0..<coarsest).reversed() {
      // The size is taken from the finer map: with odd sizes it is not twice the coarser one's.
      let shape = features[level].shape
      let coarse = maps[0].resized(
        to: Size2d(height: shape[1], width: shape[2]), method: .nearest)
      let merged = merges[level](laterals[level](features[level], adding: coarse, mode), mode)
      maps.insert(merged, at: 0)
    }
    return maps
  }

  func map<Other>(_ transform: (Block) -> Other) -> Pyramid<Other> {
    Pyramid<Other>(laterals: laterals.map(transform), merges: merges.map(transform))
  }
}

/// The context module of SSH (Najibi et al. 2017): 3x3 convolutions in chains of one, two and three,
/// that look at faces with growing surroundings.
struct ContextModule<Block: ConvolutionBlock>: Module {
  let near, shared, middle, far, farther: Block

  func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    let context = shared(x, mode)
    let parts = [near(x, mode), middle(context, mode), farther(far(context, mode), mode)]
    return Tensor.concatenated(parts, axis: 3).relu()
  }

  func map<Other>(_ transform: (Block) -> Other) -> ContextModule<Other> {
    ContextModule<Other>(
      near: transform(near), shared: transform(shared), middle: transform(middle),
      far: transform(far), farther: transform(farther))
  }
}

/// The published networks' activation above the backbone: narrow ones leak.
private func activation(channels: Int) -> Activation {
  channels <= 64 ? .leakyReLU(slope: 0.1) : .relu
}

extension Pyramid<ConvNorm> {
  /// The pyramid over feature maps of `inputs` channels; the published keys count from 1.
  init(_ scope: Scope, inputs: [Int], channels: Int) {
    let activation = activation(channels: channels)
    laterals = inputs.enumerated().map { level, input in
      ConvNorm(scope / "output\(level + 1)", input, channels, kernel: 1, activation: activation)
    }
    merges = inputs.indices.dropLast().map { level in
      ConvNorm(scope / "merge\(level + 1)", channels, channels, kernel: 3, activation: activation)
    }
  }
}

extension ContextModule<ConvNorm> {
  /// The module from `channels` to as many; the published keys mix upper and lower case.
  init(_ scope: Scope, channels: Int) {
    let activation = activation(channels: channels)
    let (half, quarter) = (channels / 2, channels / 4)
    near = ConvNorm(scope / "conv3X3", channels, half, kernel: 3, activation: .identity)
    shared = ConvNorm(scope / "conv5X5_1", channels, quarter, kernel: 3, activation: activation)
    middle = ConvNorm(scope / "conv5X5_2", quarter, quarter, kernel: 3, activation: .identity)
    far = ConvNorm(scope / "conv7X7_2", quarter, quarter, kernel: 3, activation: activation)
    farther = ConvNorm(scope / "conv7x7_3", quarter, quarter, kernel: 3, activation: .identity)
  }
}
