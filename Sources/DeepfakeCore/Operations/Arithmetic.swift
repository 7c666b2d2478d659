/// a + b, broadcast.
public struct Add: Operation {
  /// The operation.
  public init() {}

  /// Inputs: a, b.
  public func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    (.broadcast(inputs[0], inputs[1], "add") { $0 + $1 }, inputs.map(\.shapeRecord))
  }
}

/// a - b, broadcast.
public struct Subtract: Operation {
  /// The operation.
  public init() {}

  /// Inputs: a, b.
  public func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    (.broadcast(inputs[0], inputs[1], "subtract") { $0 - $1 }, inputs.map(\.shapeRecord))
  }
}

/// a * b, broadcast.
public struct Multiply: Operation {
  /// The operation.
  public init() {}

  /// Inputs: a, b.
  public func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    (.broadcast(inputs[0], inputs[1], "multiply") { $0 * $1 }, inputs)
  }
}

/// a / b, broadcast.
public struct Divide: Operation {
  /// The operation.
  public init() {}

  /// Inputs: a, b.
  public func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    (.broadcast(inputs[0], inputs[1], "divide") { $0 / $1 }, inputs)
  }
}

/// The larger of a and b, broadcast; NaN where either is.
public struct Maximum: Operation {
  /// The operation.
  public init() {}

  /// Inputs: a, b.
  public func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let output = Tensor.broadcast(inputs[0], inputs[1], "maximum") { a, b in
      .select((a .> b) .| (a .!= a), a, b)
    }
    return (output, inputs)
  }
}

/// The smaller of a and b, broadcast; NaN where either is.
public struct Minimum: Operation {
  /// The operation.
  public init() {}

  /// Inputs: a, b.
  public func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let output = Tensor.broadcast(inputs[0], inputs[1], "minimum") { a, b in
      .select((a .< b) .| (a .!= a), a, b)
    }
    return (output, inputs)
  }
}

extension Tensor {
  /// The sum of two tensors. Shapes are aligned at their last axis; an extent of 1, or an absent axis,
  /// repeats to fit the other's, here and in all arithmetic on two tensors.
  public static func + (a: Tensor, b: Tensor) -> Tensor { Add()(a, b) }

  /// The difference of two tensors.
  public static func - (a: Tensor, b: Tensor) -> Tensor { Subtract()(a, b) }

  /// The product of the elements of two tensors.
  public static func * (a: Tensor, b: Tensor) -> Tensor { Multiply()(a, b) }

  /// The quotient of the elements of two tensors.
  public static func / (a: Tensor, b: Tensor) -> Tensor { Divide()(a, b) }

  /// Every element plus a number.
  public static func + (a: Tensor, b: Float) -> Tensor { a + Tensor(scalar: b) }

  /// Every element minus a number.
  public static func - (a: Tensor, b: Float) -> Tensor { a - Tensor(scalar: b) }

  /// Every element times a number.
  public static func * (a: Tensor, b: Float) -> Tensor { a * Tensor(scalar: b) }

  /// Every element divided by a number.
  public static func / (a: Tensor, b: Float) -> Tensor { a / Tensor(scalar: b) }

  /// A number plus every element.
  public static func + (a: Float, b: Tensor) -> Tensor { Tensor(scalar: a) + b }

  /// A number minus every element.
  public static func - (a: Float, b: Tensor) -> Tensor { Tensor(scalar: a) - b }

  /// A number times every element.
  public static func * (a: Float, b: Tensor) -> Tensor { Tensor(scalar: a) * b }

  /// A number divided by every element.
  public static func / (a: Float, b: Tensor) -> Tensor { Tensor(scalar: a) / b }

  /// The larger of each pair of elements; NaN where either is.
  public static func maximum(_ a: Tensor, _ b: Tensor) -> Tensor { Maximum()(a, b) }

  /// The smaller of each pair of elements; NaN where either is.
  public static func minimum(_ a: Tensor, _ b: Tensor) -> Tensor { Minimum()(a, b) }
}
