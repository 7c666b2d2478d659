import DeepfakeCore

/// The feature pyramid (Lin et al. 2017): coarse features are added to finer ones, from top to
/// bottom.
struct Pyramid<Block: ConvolutionBlock>: Sendable {
  /// One block per level, the finest first.
  let laterals: [Block]
  /// One block per level except the coarsest.
  let merges: [Block]

  /// The pyramid's maps for a backbone's features, the finest first.
  func callAsFunction(_ features: [Tensor], _ mode: Mode) -> [Tensor] {
    let coarsest = features.count - 1
    var maps = [laterals[coarsest](features[coarsest], mode)]
    for level in (0..<coarsest).reversed() {
      // The size comes from the finer map: for odd sizes it is not twice that of the coarser map.
      let coarse = maps[0].resized(like: features[level], method: .nearest)
      let merged = merges[level](laterals[level](features[level], adding: coarse, mode), mode)
      maps.insert(merged, at: 0)
    }
    return maps
  }

  func map<Other>(_ transform: (Block) -> Other) -> Pyramid<Other> {
    Pyramid<Other>(laterals: laterals.map(transform), merges: merges.map(transform))
  }
}

/// The activation above the backbone in the published networks: leaky ReLU for narrow ones.
func neckActivation(channels: Int) -> Activation {
  channels <= 64 ? .leakyReLU(slope: 0.1) : .relu
}

extension Pyramid<BatchNormConvolution> {
  /// Creates the pyramid for feature maps of `inputs` channels. The published keys count from 1.
  init(_ scope: Scope, inputs: [Int], channels: Int) {
    let activation = neckActivation(channels: channels)
    laterals = inputs.enumerated().map { level, input in
      BatchNormConvolution(
        scope / "output\(level + 1)", input, channels, kernel: 1, activation: activation)
    }
    merges = inputs.indices.dropLast().map { level in
      BatchNormConvolution(
        scope / "merge\(level + 1)", channels, channels, kernel: 3, activation: activation)
    }
  }
}
