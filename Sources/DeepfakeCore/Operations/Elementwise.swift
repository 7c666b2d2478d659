import Foundation

/// The exponential of every element.
package struct Exponential: Operation {
  package init() {}

  /// Inputs: x. Saved: the output.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let output = inputs[0].mappedOneByOne { exp($0) }
    return (output, [output])
  }

  /// gradient * exp(x).
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    [gradient * saved[0]]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    graph.elementwise("Exp", inputs[0])
  }
}

/// The natural logarithm of every element.
package struct Logarithm: Operation {
  package init() {}

  /// Inputs: x.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    (inputs[0].mappedOneByOne { log($0) }, inputs)
  }

  /// gradient / x.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    [gradient / saved[0]]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    graph.elementwise("Log", inputs[0])
  }
}

/// The square root of every element.
package struct SquareRoot: Operation {
  package init() {}

  /// Inputs: x. Saved: the output.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let output = inputs[0].mapped { $0.squareRoot() }
    return (output, [output])
  }

  /// gradient / (2 * sqrt(x)).
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    [Tensor.broadcast(gradient, saved[0], "squareRoot") { $0 / (2 * $1) }]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    graph.elementwise("Sqrt", inputs[0])
  }
}

/// The absolute value of every element.
package struct AbsoluteValue: Operation {
  package init() {}

  /// Inputs: x.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    (inputs[0].mapped { .select($0 .< 0, -$0, $0) + 0 }, inputs)
  }

  /// The gradient times the sign of x; 0 where x is 0.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let gradient = Tensor.broadcast(gradient, saved[0], "abs") { gradient, x in
      .select(x .< 0, -gradient, .select(x .== 0, .zero, gradient))
    }
    return [gradient]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    graph.elementwise("Abs", inputs[0])
  }
}

/// The negative of every element.
package struct Negate: Operation {
  package init() {}

  /// Inputs: x.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    (inputs[0].mapped { -$0 }, [])
  }

  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    [-gradient]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    graph.elementwise("Neg", inputs[0])
  }
}

/// A fixed power of every element.
package struct Power: Operation {
  package let exponent: Float

  package init(_ exponent: Float) {
    self.exponent = exponent
  }

  /// Inputs: x.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let output =
      exponent == 2
      ? inputs[0].mapped { $0 * $0 } : inputs[0].mappedOneByOne { [exponent] in pow($0, exponent) }
    return (output, inputs)
  }

  /// gradient * exponent * x^(exponent - 1).
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    if exponent == 0 { return [Tensor(zeros: gradient.shape)] }
    if exponent == 2 { return [Tensor.broadcast(gradient, saved[0], "pow") { 2 * $0 * $1 }] }
    return [gradient * (saved[0].pow(exponent - 1) * exponent)]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    graph.elementwise("Pow", inputs[0], graph.constant(exponent))
  }
}

/// Every element limited to a closed range.
package struct Clamp: Operation {
  package let range: ClosedRange<Float>

  package init(to range: ClosedRange<Float>) {
    self.range = range
  }

  /// Inputs: x. NaN stays NaN.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let low = Lanes(repeating: range.lowerBound)
    let high = Lanes(repeating: range.upperBound)
    return (inputs[0].mapped { .select($0 .< low, low, .select($0 .> high, high, $0)) }, inputs)
  }

  /// The gradient where x lies inside the range; 0 outside and, as in PyTorch, at the bounds.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let low = Lanes(repeating: range.lowerBound)
    let high = Lanes(repeating: range.upperBound)
    let gradient = Tensor.broadcast(gradient, saved[0], "clamp") { gradient, x in
      .select((x .> low) .& (x .< high), gradient, .zero)
    }
    return [gradient]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    graph.elementwise(
      "Clip", inputs[0], graph.constant(range.lowerBound), graph.constant(range.upperBound))
  }
}

extension Tensor {
  /// exp(x).
  public func exp() -> Tensor { Exponential()(self) }

  /// The natural logarithm; -infinity at 0, NaN below.
  public func log() -> Tensor { Logarithm()(self) }

  /// The square root; NaN below 0.
  public func squareRoot() -> Tensor { SquareRoot()(self) }

  /// The absolute value.
  public func abs() -> Tensor { AbsoluteValue()(self) }

  /// x to the power of `exponent`.
  public func pow(_ exponent: Float) -> Tensor { Power(exponent)(self) }

  /// x limited to `range`; NaN stays NaN.
  public func clamped(to range: ClosedRange<Float>) -> Tensor { Clamp(to: range)(self) }

  /// -x.
  public static prefix func - (x: Tensor) -> Tensor { Negate()(x) }

  /// `transform` of every element, on the thread pool.
  @inline(__always)
  func mapped(_ transform: @Sendable (Lanes) -> Lanes) -> Tensor {
    mappedInBlocks { x, y, count in mapLanes(x, y, count, transform) }
  }

  /// `transform` of every element, for functions that exist for single numbers only.
  @inline(__always)
  func mappedOneByOne(_ transform: @Sendable (Float) -> Float) -> Tensor {
    mappedInBlocks { x, y, count in
      for i in 0..<count { y[i] = transform(x[i]) }
    }
  }

  /// A tensor of the same shape that `body` fills block by block on the thread pool.
  @inline(__always)
  private func mappedInBlocks(
    _ body: @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
  ) -> Tensor {
    Tensor(shape: shape) { y in
      withUnsafeBuffer { x in
        guard let from = x.baseAddress, let to = y.baseAddress else { return }
        nonisolated(unsafe) let (x, y) = (from, to)
        Parallel.forEachBlock(count) { body(x + $0.lowerBound, y + $0.lowerBound, $0.count) }
      }
    }
  }
}

extension Parallel {
  /// Calls `body` with consecutive blocks of `0..<count`, each of `size` elements except the last.
  /// The blocks do not depend on the number of threads.
  static func forEachBlock(
    _ count: Int, of size: Int = 1 << 15, _ body: @Sendable (Range<Int>) -> Void
  ) {
    let blocks = count.dividedRoundingUp(by: size)
    if blocks == 1 { return body(0..<count) }
    forEach(blocks) { block in
      body(block * size..<min((block + 1) * size, count))
    }
  }
}
