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

/// The published networks' activation above the backbone: narrow ones leak.
func neckActivation(channels: Int) -> Activation {
  channels <= 64 ? .leakyReLU(slope: 0.1) : .relu
}

extension Pyramid<ConvNorm> {
  /// The pyramid over feature maps of `inputs` channels; the published keys count from 1.
  init(_ scope: Scope, inputs: [Int], channels: Int) {
    let activation = neckActivation(channels: channels)
    laterals = inputs.enumerated().map { level, input in
      ConvNorm(scope / "output\(level + 1)", input, channels, kernel: 1, activation: activation)
    }
    merges = inputs.indices.dropLast().map { level in
      ConvNorm(scope / "merge\(level + 1)", channels, channels, kernel: 3, activation: activation)
    }
  }
}
