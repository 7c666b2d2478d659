/// A part of a network: a function of one tensor with parameters.
///
/// A network is described once, by its layers. `forInference` gives the same layers with weights
/// packed and norms folded in; the code that runs them does not change.
///
/// ```swift
/// let store = ParameterStore()
/// let layers: [any Module] = [
///   Conv2d(store.root / "conv", 3, 16, kernel: 3, padding: .symmetric(1)),
///   BatchNorm2d(store.root / "norm", 16), FunctionLayer { $0.relu() },
/// ]
/// store.initialize(seed: 1)
/// let fast = layers.forInference()
/// let maps = fast(images)
/// ```
public protocol Module: Sendable {
  /// The output for `x`; `mode` says whether dropout drops and batch norm measures.
  func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor

  /// The output for `x`, plus `residual` of the output's shape. Layers that can add it while they
  /// write their output have a version of their own.
  func callAsFunction(_ x: Tensor, adding residual: Tensor, _ mode: Mode) -> Tensor

  /// The layer as inference runs it fastest. Parameters that it packs are released in the store.
  /// A layer without a faster form is its own.
  func forInference() -> any Module
}

extension Module {
  /// The output at inference.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    self(x, .inference)
  }

  /// The output, then the sum.
  public func callAsFunction(_ x: Tensor, adding residual: Tensor, _ mode: Mode) -> Tensor {
    self(x, mode) + residual
  }

  /// The layer itself.
  public func forInference() -> any Module { self }
}

/// Layers one after the other are a layer.
extension Array: Module where Element == any Module {
  /// What the last layer makes of what the others made of `x`; `x` itself where there are none.
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    reduce(x) { $1($0, mode) }
  }

  /// The same, plus `residual`, which the last layer adds.
  public func callAsFunction(_ x: Tensor, adding residual: Tensor, _ mode: Mode) -> Tensor {
    guard let last else { return x + residual }
    return last(Array(dropLast())(x, mode), adding: residual, mode)
  }

  /// The layers for inference.
  public func forInference() -> any Module { map { $0.forInference() } }
}

/// Chains of layers that all see the same input; their outputs' channels are joined.
public struct Branches: Module {
  private let branches: [any Module]

  /// Branches whose outputs differ in their channels only.
  public init(_ branches: [[any Module]]) {
    self.branches = branches
  }

  private init(packing branches: [any Module]) {
    self.branches = branches.map { $0.forInference() }
  }

  /// The outputs of [batch, height, width, channels], joined in the branches' order.
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    .concatenated(branches.map { $0(x, mode) }, axis: 3)
  }

  /// The branches' layers for inference.
  public func forInference() -> any Module { Branches(packing: branches) }
}

/// A function as a layer: without parameters, the same in training and at inference.
public struct FunctionLayer: Module {
  private let body: @Sendable (Tensor, Tensor?) -> Tensor

  /// A layer that does what `body` does: an activation, a pooling, a change of shape.
  public init(_ body: @escaping @Sendable (Tensor) -> Tensor) {
    self.body = { x, residual in residual.map { body(x) + $0 } ?? body(x) }
  }

  /// A packed layer; the second argument is what it adds as it writes its output.
  package init(adding body: @escaping @Sendable (Tensor, Tensor?) -> Tensor) {
    self.body = body
  }

  /// What the function makes of `x`.
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor { body(x, nil) }

  /// What the function makes of `x`, plus `residual`.
  public func callAsFunction(_ x: Tensor, adding residual: Tensor, _ mode: Mode) -> Tensor {
    body(x, residual)
  }
}

extension Conv2d {
  /// The convolution with packed weights.
  public func forInference() -> any Module {
    let packed = PackedConv2d(self)
    return FunctionLayer(adding: { packed($0, residual: $1) })
  }
}

extension Linear {
  /// The layer with packed weights.
  public func forInference() -> any Module {
    let packed = PackedLinear(self)
    return FunctionLayer { packed($0) }
  }
}

extension BatchNorm2d {
  /// A factor and a summand for each channel.
  public func forInference() -> any Module {
    let scale = weight.value / (runningVariance.value + epsilon).squareRoot()
    let shift = bias.value - runningMean.value * scale
    for parameter in [weight, bias, runningMean, runningVariance] { parameter.release() }
    return FunctionLayer { $0 * scale + shift }
  }
}
