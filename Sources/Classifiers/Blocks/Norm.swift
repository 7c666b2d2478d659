import DeepfakeCore

/// What normalises a network's maps, everywhere in the network alike.
public enum Norm: Sendable, Equatable {
  /// Batch normalisation.
  case batch(epsilon: Float)
  /// Group normalisation (Wu and He 2018), which small batches do not hurt. Where `groups` does not
  /// divide a layer's channels, it is halved until it does.
  case group(groups: Int, epsilon: Float)

  /// Batch norm as PyTorch has it.
  public static let batch = batch(epsilon: 1e-5)
  /// Group norm as PyTorch has it, eight groups.
  public static let group = group(groups: 8, epsilon: 1e-5)

  /// The groups of a layer of `channels`, when `groups` are wanted.
  static func groups(_ groups: Int, dividing channels: Int) -> Int {
    var groups = max(1, groups)
    while channels % groups != 0 { groups /= 2 }
    return groups
  }
}

/// A norm layer of either kind, under the same keys.
enum NormLayer: Module {
  case batch(BatchNorm2d)
  case group(GroupNorm)

  init(_ scope: Scope, _ channels: Int, _ norm: Norm) {
    switch norm {
    case .batch(let epsilon):
      self = .batch(BatchNorm2d(scope, channels, epsilon: epsilon))
    case .group(let groups, let epsilon):
      self = .group(
        GroupNorm(
          scope, channels, groups: Norm.groups(groups, dividing: channels), epsilon: epsilon))
    }
  }

  func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    self(x, mode, activation: .identity)
  }

  /// The normalised tensor, activated: one operation, of which training keeps nothing but its input.
  func callAsFunction(_ x: Tensor, _ mode: Mode, activation: Activation) -> Tensor {
    switch self {
    case .batch(let norm): norm(x, mode, activation: activation)
    case .group(let norm): norm(x, mode, activation: activation)
    }
  }
}
