/// A part of a network: a function of one tensor, with parameters.
///
/// A network is described once, by its layers. `forInference` returns the same layers with packed
/// weights and folded norms; the code that runs them does not change.
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
  /// The output for `x`. `mode` decides whether dropout is on and which statistics batch norm uses.
  func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor

  /// The output for `x` plus `residual`, which has the output's shape. Layers that can add it while
  /// they write their output implement this themselves.
  func callAsFunction(_ x: Tensor, adding residual: Tensor, _ mode: Mode) -> Tensor

  /// The layer in its fastest form for inference. The parameters that it packs are released in the
  /// store. A layer without a faster form returns itself.
  func forInference() -> any Module
}

extension Module {
  /// The output at inference.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    self(x, .inference)
  }

  /// The output for `x` plus `residual`, computed in two steps.
  public func callAsFunction(_ x: Tensor, adding residual: Tensor, _ mode: Mode) -> Tensor {
    self(x, mode) + residual
  }

  /// Returns the layer itself.
  public func forInference() -> any Module { self }
}

/// A list of layers that run one after the other is a layer, too.
extension Array: Module where Element == any Module {
  /// The output of the last layer, each layer reading the output of the one before; `x` if there
  /// are no layers.
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    reduce(x) { $1($0, mode) }
  }

  /// The output of the layers plus `residual`, which the last layer adds.
  public func callAsFunction(_ x: Tensor, adding residual: Tensor, _ mode: Mode) -> Tensor {
    guard let last else { return x + residual }
    return last(Array(dropLast())(x, mode), adding: residual, mode)
  }

  /// The layers in their forms for inference.
  public func forInference() -> any Module { map { $0.forInference() } }
}

/// Several chains of layers with the same input; the channels of their outputs are concatenated.
public struct Branches: Module {
  private let branches: [any Module]

  /// Creates the branches. Their outputs must have the same shape except for the channels.
  public init(_ branches: [[any Module]]) {
    self.branches = branches
  }

  private init(packing branches: [any Module]) {
    self.branches = branches.map { $0.forInference() }
  }

  /// The branches' outputs [batch, height, width, channels], concatenated in the order of the
  /// branches.
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    .concatenated(branches.map { $0(x, mode) }, axis: 3)
  }

  /// The branches with their layers in the form for inference.
  public func forInference() -> any Module { Branches(packing: branches) }
}

/// A function as a layer. It has no parameters and is the same in training and at inference.
public struct FunctionLayer: Module {
  private let body: @Sendable (Tensor, Tensor?) -> Tensor

  /// Creates a layer that runs `body`: an activation, a pooling, a change of shape.
  public init(_ body: @escaping @Sendable (Tensor) -> Tensor) {
    self.body = { x, residual in residual.map { body(x) + $0 } ?? body(x) }
  }

  /// Creates a packed layer. The second argument of `body` is a residual to add to the output, or
  /// nil.
  package init(adding body: @escaping @Sendable (Tensor, Tensor?) -> Tensor) {
    self.body = body
  }

  /// The function's result for `x`.
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor { body(x, nil) }

  /// The function's result for `x`, plus `residual`.
  public func callAsFunction(_ x: Tensor, adding residual: Tensor, _ mode: Mode) -> Tensor {
    body(x, residual)
  }
}

extension Conv2d {
  /// Packs the convolution's weights.
  public func forInference() -> any Module {
    let packed = PackedConv2d(self)
    return FunctionLayer(adding: { packed($0, residual: $1) })
  }
}

extension Linear {
  /// Packs the layer's weights.
  public func forInference() -> any Module {
    let packed = PackedLinear(self)
    return FunctionLayer { packed($0) }
  }
}

extension BatchNorm2d {
  /// The norm as one multiplication and one addition for each channel, by the running statistics.
  public func forInference() -> any Module {
    let scale = weight.value / (runningVariance.value + epsilon).squareRoot()
    let shift = bias.value - runningMean.value * scale
    for parameter in [weight, bias, runningMean, runningVariance] { parameter.release() }
    return FunctionLayer { $0 * scale + shift }
  }
}
