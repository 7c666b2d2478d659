import CDFKernels

/// a + b, with broadcasting.
package struct Add: Operation {
  package init() {}

  /// Inputs: a, b.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let (a, b) = (inputs[0], inputs[1])
    let saved = inputs.map(\.shapeRecord)
    guard a.shape == b.shape else { return (.broadcast(a, b, "add") { $0 + $1 }, saved) }
    let output = Tensor(shape: a.shape) { y in
      a.withUnsafeBuffer { a in
        b.withUnsafeBuffer { b in
          df_f32_add(a.count, a.baseAddress, b.baseAddress, y.baseAddress)
        }
      }
    }
    return (output, saved)
  }

  /// The gradient, summed over the axes that were broadcast.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    saved.indices.map { wants[$0] ? gradient.summed(to: saved[$0].recordedShape) : nil }
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    graph.broadcasting("Add", inputs[0], inputs[1], output: output)
  }
}

/// a - b, with broadcasting.
package struct Subtract: Operation {
  package init() {}

  /// Inputs: a, b.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    (.broadcast(inputs[0], inputs[1], "subtract") { $0 - $1 }, inputs.map(\.shapeRecord))
  }

  /// The gradient and its negative, summed over the axes that were broadcast.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    [
      wants[0] ? gradient.summed(to: saved[0].recordedShape) : nil,
      wants[1] ? -gradient.summed(to: saved[1].recordedShape) : nil,
    ]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    graph.broadcasting("Sub", inputs[0], inputs[1], output: output)
  }
}

/// a * b, with broadcasting.
package struct Multiply: Operation {
  package init() {}

  /// Inputs: a, b.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    (.broadcast(inputs[0], inputs[1], "multiply") { $0 * $1 }, inputs)
  }

  /// The gradient times the other factor, summed over the axes that were broadcast.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let (a, b) = (saved[0], saved[1])
    return [
      wants[0] ? (gradient * b).summed(to: a.shape) : nil,
      wants[1] ? (gradient * a).summed(to: b.shape) : nil,
    ]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    graph.broadcasting("Mul", inputs[0], inputs[1], output: output)
  }
}

/// x times constant factors: a number, or the mask of dropout. Unlike `Multiply` its pullback does
/// not need x.
package struct FixedProduct: Operation {
  /// The constant factors, which are broadcast with x.
  package let factors: Tensor

  package init(_ factors: Tensor) {
    self.factors = factors
  }

  /// Inputs: x.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    (.broadcast(inputs[0], factors, "multiply") { $0 * $1 }, [inputs[0].shapeRecord])
  }

  /// The gradient times the factors, summed over the axes that were broadcast.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let product = Tensor.broadcast(gradient, factors, "multiply") { $0 * $1 }
    return [product.summed(to: saved[0].recordedShape)]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    let factors = TracedValue(.constant(factors, nil), shape: factors.shape)
    return graph.broadcasting("Mul", inputs[0], factors, output: output)
  }
}

/// a / b, with broadcasting.
package struct Divide: Operation {
  package init() {}

  /// Inputs: a, b.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    (.broadcast(inputs[0], inputs[1], "divide") { $0 / $1 }, inputs)
  }

  /// gradient / b and -gradient * a / b², summed over the axes that were broadcast.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let (a, b) = (saved[0], saved[1])
    return [
      wants[0] ? (gradient / b).summed(to: a.shape) : nil,
      wants[1] ? -(gradient * (a / b / b)).summed(to: b.shape) : nil,
    ]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    graph.broadcasting("Div", inputs[0], inputs[1], output: output)
  }
}

/// The larger of a and b, with broadcasting; NaN if either is NaN.
package struct Maximum: Operation {
  package init() {}

  /// Inputs: a, b.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let output = Tensor.broadcast(inputs[0], inputs[1], "maximum") { a, b in
      .select((a .> b) .| (a .!= a), a, b)
    }
    return (output, inputs)
  }

  /// The gradient goes to the larger element. If both are equal each gets half, as in PyTorch.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let (a, b) = (saved[0], saved[1])
    return [(a, b), (b, a)].enumerated().map { index, pair in
      guard wants[index] else { return nil }
      let share = Tensor.broadcast(pair.0, pair.1, "maximum") { mine, other in
        .select(mine .< other, .zero, .select(mine .== other, Lanes(repeating: 0.5), 1 + .zero))
      }
      return (gradient * share).summed(to: pair.0.shape)
    }
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    graph.broadcasting("Max", inputs[0], inputs[1], output: output)
  }
}

/// The smaller of a and b, with broadcasting; NaN if either is NaN.
package struct Minimum: Operation {
  package init() {}

  /// Inputs: a, b.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let output = Tensor.broadcast(inputs[0], inputs[1], "minimum") { a, b in
      .select((a .< b) .| (a .!= a), a, b)
    }
    return (output, inputs)
  }

  /// The gradient goes to the smaller element. If both are equal each gets half, as in PyTorch.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let (a, b) = (saved[0], saved[1])
    return [(a, b), (b, a)].enumerated().map { index, pair in
      guard wants[index] else { return nil }
      let share = Tensor.broadcast(pair.0, pair.1, "minimum") { mine, other in
        .select(mine .> other, .zero, .select(mine .== other, Lanes(repeating: 0.5), 1 + .zero))
      }
      return (gradient * share).summed(to: pair.0.shape)
    }
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    graph.broadcasting("Min", inputs[0], inputs[1], output: output)
  }
}

extension Tensor {
  /// The sum of two tensors.
  ///
  /// All arithmetic on two tensors broadcasts: shapes are aligned at their last axis, and an extent
  /// of 1 or a missing axis is repeated to fit the other tensor.
  public static func + (a: Tensor, b: Tensor) -> Tensor { Add()(a, b) }

  /// The difference of two tensors.
  public static func - (a: Tensor, b: Tensor) -> Tensor { Subtract()(a, b) }

  /// The product of two tensors, element by element.
  public static func * (a: Tensor, b: Tensor) -> Tensor { Multiply()(a, b) }

  /// The quotient of two tensors, element by element.
  public static func / (a: Tensor, b: Tensor) -> Tensor { Divide()(a, b) }

  /// Every element plus a number.
  public static func + (a: Tensor, b: Float) -> Tensor { a + Tensor(scalar: b) }

  /// Every element minus a number.
  public static func - (a: Tensor, b: Float) -> Tensor { a - Tensor(scalar: b) }

  /// Every element times a number.
  public static func * (a: Tensor, b: Float) -> Tensor { FixedProduct(Tensor(scalar: b))(a) }

  /// Every element divided by a number.
  public static func / (a: Tensor, b: Float) -> Tensor { a / Tensor(scalar: b) }

  /// A number plus every element.
  public static func + (a: Float, b: Tensor) -> Tensor { Tensor(scalar: a) + b }

  /// A number minus every element.
  public static func - (a: Float, b: Tensor) -> Tensor { Tensor(scalar: a) - b }

  /// A number times every element.
  public static func * (a: Float, b: Tensor) -> Tensor { b * a }

  /// A number divided by every element.
  public static func / (a: Float, b: Tensor) -> Tensor { Tensor(scalar: a) / b }

  /// The larger element of each pair; NaN if either is NaN.
  public static func maximum(_ a: Tensor, _ b: Tensor) -> Tensor { Maximum()(a, b) }

  /// The smaller element of each pair; NaN if either is NaN.
  public static func minimum(_ a: Tensor, _ b: Tensor) -> Tensor { Minimum()(a, b) }
}
