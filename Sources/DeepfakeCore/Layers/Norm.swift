/// What normalises a network's maps, everywhere in the network alike.
public enum Norm: Sendable, Equatable {
  /// Batch normalisation.
  case batch(epsilon: Float)
  /// Group normalisation (Wu and He 2018), which small batches do not hurt. Where `groups` does not
  /// divide a layer's channels, it is halved until it does.
  case group(groups: Int, epsilon: Float)

  /// A norm without its numbers, by the name that recipes, options and weights files give it.
  public enum Kind: String, Sendable, CaseIterable {
    /// Batch normalisation with running statistics.
    case batch
    /// Group normalisation.
    case group
  }

  /// Batch norm as PyTorch has it.
  public static let batch = batch(epsilon: 1e-5)
  /// Group norm as PyTorch has it, eight groups.
  public static let group = group(groups: 8)

  /// Group norm of `groups` groups, as PyTorch has it.
  public static func group(groups: Int) -> Norm { .group(groups: groups, epsilon: 1e-5) }

  /// The norm without its numbers.
  public var kind: Kind {
    switch self {
    case .batch: .batch
    case .group: .group
    }
  }

  /// The groups of group norm; nil for batch norm.
  public var groups: Int? {
    if case .group(let groups, _) = self { groups } else { nil }
  }
}

/// A norm layer of either kind, under the same keys.
///
/// ```swift
/// let norm: Norm = .group(groups: 8)  // or .batch
/// let store = ParameterStore()
/// let layer = NormLayer(store.root / "norm1", 16, norm)
/// store.initialize(seed: 1)
/// let activated = layer(maps, .inference, activation: .silu)
/// ```
public enum NormLayer: Module {
  /// Folded into the convolution before it at inference.
  case batch(BatchNorm2d)
  /// Applied by the statistics of each image.
  case group(GroupNorm)

  /// The kind of layer that `norm` says, for maps of so many channels.
  public init(_ scope: Scope, _ channels: Int, _ norm: Norm) {
    switch norm {
    case .batch(let epsilon):
      self = .batch(BatchNorm2d(scope, channels, epsilon: epsilon))
    case .group(let most, let epsilon):
      var groups = max(1, most)
      while channels % groups != 0 { groups /= 2 }
      self = .group(GroupNorm(scope, channels, groups: groups, epsilon: epsilon))
    }
  }

  var batch: BatchNorm2d? {
    if case .batch(let norm) = self { norm } else { nil }
  }

  /// The normalised tensor.
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    self(x, mode, activation: .identity)
  }

  /// The normalised tensor, activated: one operation, of which training keeps nothing but its
  /// input.
  public func callAsFunction(_ x: Tensor, _ mode: Mode, activation: Activation) -> Tensor {
    switch self {
    case .batch(let norm): norm(x, mode, activation: activation)
    case .group(let norm): norm(x, mode, activation: activation)
    }
  }
}
