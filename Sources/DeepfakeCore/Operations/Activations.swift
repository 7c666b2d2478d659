import CDFKernels
import Foundation

/// A nonlinearity that convolutions, products and norms can apply to their output.
public enum Activation: Sendable, Equatable {
  /// x.
  case identity
  /// max(x, 0).
  case relu
  /// min(max(x, 0), 6).
  case relu6
  /// x if x is positive, otherwise slope * x.
  case leakyReLU(slope: Float)
  /// x * sigmoid(x), also called swish (Ramachandran et al. 2017).
  case silu
  /// 1 / (1 + exp(-x)).
  case sigmoid

  var kernel: df_activation {
    switch self {
    case .identity: DF_IDENTITY
    case .relu: DF_RELU
    case .relu6: DF_RELU6
    case .leakyReLU: DF_LEAKY_RELU
    case .silu: DF_SILU
    case .sigmoid: DF_SIGMOID
    }
  }

  var slope: Float {
    if case .leakyReLU(let slope) = self { slope } else { 0 }
  }
}

extension Activation {
  /// Adds the nodes that compute the activation of a value.
  func addNodes(to graph: GraphBuilder, _ x: TracedValue) -> TracedValue {
    switch self {
    case .identity: return x
    case .relu: return graph.elementwise("Relu", x)
    case .relu6: return graph.elementwise("Clip", x, graph.constant(0), graph.constant(6))
    case .leakyReLU(let slope):
      return graph.value(
        "LeakyRelu", [graph.name(x, in: x.order)], ["alpha": .number(slope)], shape: x.shape,
        order: x.order)
    case .sigmoid: return graph.elementwise("Sigmoid", x)
    case .silu:
      let name = graph.name(x, in: x.order)
      let gate = graph.node("Sigmoid", [name])
      return graph.value("Mul", [name, gate], shape: x.shape, order: x.order)
    }
  }
}

/// Applies an activation to every element.
package struct Activate: Operation {
  package let activation: Activation

  package init(_ activation: Activation) {
    self.activation = activation
  }

  /// Inputs: x.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let x = inputs[0]
    let output = Tensor(shape: x.shape) { y in
      x.withUnsafeBuffer { x in
        df_f32_activate(
          x.count, x.baseAddress, y.baseAddress, activation.kernel, activation.slope)
      }
    }
    return (output, [x])
  }

  /// The gradient times the slope at x. As in PyTorch, the slope of ReLU at 0 and of ReLU6 at 0 and
  /// 6 is 0.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let result = Tensor(shape: gradient.shape) { y in
      saved[0].withUnsafeBuffer { x in
        gradient.withUnsafeBuffer { gradient in
          df_f32_activation_gradient(
            x.count, x.baseAddress, gradient.baseAddress, y.baseAddress, activation.kernel,
            activation.slope)
        }
      }
    }
    return [result]
  }

  /// True, because activations are cheap to compute.
  package var canRecompute: Bool { true }

  package func recompute(saved: [Tensor]) -> Tensor? {
    forward(saved).output
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    activation.addNodes(to: graph, inputs[0])
  }
}

/// The hyperbolic tangent of every element.
package struct HyperbolicTangent: Operation {
  package init() {}

  /// Inputs: x. Saved: the output.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let output = inputs[0].mappedOneByOne { tanh($0) }
    return (output, [output])
  }

  /// gradient * (1 - tanh(x)²).
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    [Tensor.broadcast(gradient, saved[0], "tanh") { $0 * (1 - $1 * $1) }]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    graph.elementwise("Tanh", inputs[0])
  }
}

/// Leaky ReLU with a learned slope for each channel of the last axis (He et al. 2015).
package struct ParametricReLU: Operation {
  package init() {}

  /// Inputs: x [..., channels], slopes [channels].
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let (x, slopes) = (inputs[0], inputs[1])
    precondition(
      x.rank >= 1 && slopes.shape == [x.shape[x.rank - 1]],
      "prelu: slopes \(slopes.shape) do not fit input \(x.shape)")
    let output = Tensor.broadcast(x, slopes, "prelu") { x, slope in
      .select(x .> 0, x, x * slope)
    }
    return (output, [x, slopes])
  }

  /// The gradients of x and of the slopes. That of x is the gradient times 1 or the slope; that of
  /// the slopes is summed over all pixels.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let (x, slopes) = (saved[0], saved[1])
    return [
      wants[0]
        ? gradient * Tensor.broadcast(x, slopes, "prelu") { .select($0 .> 0, 1 + .zero, $1) } : nil,
      wants[1]
        ? Tensor.broadcast(gradient, x, "prelu") { .select($1 .> 0, .zero, $0 * $1) }
          .summed(to: slopes.shape) : nil,
    ]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    graph.broadcasting("PRelu", inputs[0], inputs[1], output: output)
  }
}

extension Tensor {
  /// Every element after `activation`.
  public func activated(_ activation: Activation) -> Tensor { Activate(activation)(self) }

  /// max(x, 0).
  public func relu() -> Tensor { Activate(.relu)(self) }

  /// x if x is positive, otherwise slope * x.
  public func leakyReLU(slope: Float) -> Tensor { Activate(.leakyReLU(slope: slope))(self) }

  /// x * sigmoid(x).
  public func silu() -> Tensor { Activate(.silu)(self) }

  /// 1 / (1 + exp(-x)).
  public func sigmoid() -> Tensor { Activate(.sigmoid)(self) }

  /// The hyperbolic tangent.
  public func tanh() -> Tensor { HyperbolicTangent()(self) }

  /// x if x is positive, otherwise x times the channel's slope. `slopes` has shape [channels]; the
  /// channels are the last axis.
  public func prelu(_ slopes: Tensor) -> Tensor { ParametricReLU()(self, slopes) }
}
