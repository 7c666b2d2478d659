import CDFKernels
import Foundation

/// A nonlinearity that convolutions, products and norms can apply to their output.
public enum Activation: Sendable, Equatable {
  /// x.
  case identity
  /// max(x, 0).
  case relu
  /// x where positive, else slope * x.
  case leakyReLU(slope: Float)
  /// x * sigmoid(x), also called swish (Ramachandran et al. 2017).
  case silu
  /// 1 / (1 + exp(-x)).
  case sigmoid

  var kernel: df_activation {
    switch self {
    case .identity: DF_IDENTITY
    case .relu: DF_RELU
    case .leakyReLU: DF_LEAKY_RELU
    case .silu: DF_SILU
    case .sigmoid: DF_SIGMOID
    }
  }

  var slope: Float {
    if case .leakyReLU(let slope) = self { slope } else { 0 }
  }
}

/// An activation of every element.
public struct Activate: Operation {
  /// Which.
  public let activation: Activation

  /// The operation of one activation.
  public init(_ activation: Activation) {
    self.activation = activation
  }

  /// Inputs: x.
  public func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let x = inputs[0]
    let output = Tensor(shape: x.shape) { y in
      x.withUnsafeBuffer { x in
        nonisolated(unsafe) let (x, y) = (x, y)
        Parallel.forEachBlock(x.count) { block in
          df_f32_activate(
            block.count, x.baseAddress?.advanced(by: block.lowerBound),
            y.baseAddress?.advanced(by: block.lowerBound), activation.kernel, activation.slope)
        }
      }
    }
    return (output, [x])
  }
}

/// The hyperbolic tangent of every element.
public struct HyperbolicTangent: Operation {
  /// The operation.
  public init() {}

  /// Inputs: x. Saved: the output.
  public func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let output = inputs[0].mappedOneByOne { tanh($0) }
    return (output, [output])
  }
}

/// Leaky ReLU with a learnt slope for each channel of the last axis (He et al. 2015).
public struct ParametricReLU: Operation {
  /// The operation.
  public init() {}

  /// Inputs: x [..., channels], slopes [channels].
  public func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let (x, slopes) = (inputs[0], inputs[1])
    precondition(
      x.rank >= 1 && slopes.shape == [x.shape[x.rank - 1]],
      "prelu: slopes \(slopes.shape) do not fit input \(x.shape)")
    let output = Tensor.broadcast(x, slopes, "prelu") { x, slope in
      .select(x .> 0, x, x * slope)
    }
    return (output, [x, slopes])
  }
}

extension Tensor {
  /// `activation` of every element.
  public func activated(_ activation: Activation) -> Tensor { Activate(activation)(self) }

  /// max(x, 0).
  public func relu() -> Tensor { Activate(.relu)(self) }

  /// x where positive, else slope * x.
  public func leakyReLU(slope: Float) -> Tensor { Activate(.leakyReLU(slope: slope))(self) }

  /// x * sigmoid(x).
  public func silu() -> Tensor { Activate(.silu)(self) }

  /// 1 / (1 + exp(-x)).
  public func sigmoid() -> Tensor { Activate(.sigmoid)(self) }

  /// The hyperbolic tangent.
  public func tanh() -> Tensor { HyperbolicTangent()(self) }

  /// x where positive, else the channel's slope times x; `slopes` is [channels], the last axis.
  public func prelu(_ slopes: Tensor) -> Tensor { ParametricReLU()(self, slopes) }
}
