/// The kind of normalisation that a network uses in all its layers.
public enum Norm: Sendable, Equatable {
  /// Batch normalisation with running statistics.
  case batch(epsilon: Float)
  /// Group normalisation (Wu and He 2018), which works with small batches. If `groups` does not
  /// divide a layer's number of channels, it is halved until it does.
  case group(groups: Int, epsilon: Float)

  /// The kind of norm without its settings. Recipes, options and weights files use the raw values.
  public enum Kind: String, Sendable, CaseIterable {
    /// Batch normalisation with running statistics.
    case batch
    /// Group normalisation.
    case group
  }

  /// Batch norm with PyTorch's epsilon, 1e-5.
  public static let batch = batch(epsilon: 1e-5)
  /// Group norm with eight groups and PyTorch's epsilon, 1e-5.
  public static let group = group(groups: 8)

  /// Group norm with `groups` groups and PyTorch's epsilon, 1e-5.
  public static func group(groups: Int) -> Norm { .group(groups: groups, epsilon: 1e-5) }

  /// The kind of this norm.
  public var kind: Kind {
    switch self {
    case .batch: .batch
    case .group: .group
    }
  }

  /// The number of groups of group norm; nil for batch norm.
  public var groups: Int? {
    if case .group(let groups, _) = self { groups } else { nil }
  }
}

/// A norm layer of either kind; both kinds use the same keys for weight and bias.
///
/// ```swift
/// let norm: Norm = .group(groups: 8)  // or .batch
/// let store = ParameterStore()
/// let layer = NormLayer(store.root / "norm1", 16, norm)
/// store.initialize(seed: 1)
/// let activated = layer(maps, .inference, activation: .silu)
/// ```
public enum NormLayer: Module {
  /// A batch norm, which inference folds into the convolution before it.
  case batch(BatchNorm2d)
  /// A group norm, which uses the statistics of each image.
  case group(GroupNorm)

  /// Creates the layer that `norm` describes, for `channels` channels.
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

  /// The normalised `x`.
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    self(x, mode, activation: .identity)
  }

  /// The normalised and activated `x`. It is one operation, and training keeps only its input.
  public func callAsFunction(_ x: Tensor, _ mode: Mode, activation: Activation) -> Tensor {
    switch self {
    case .batch(let norm): norm(x, mode, activation: activation)
    case .group(let norm): norm(x, mode, activation: activation)
    }
  }
}
