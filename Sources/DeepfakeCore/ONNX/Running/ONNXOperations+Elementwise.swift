import Foundation

extension ONNXOperations {
  /// An operation on each element of a tensor.
  static func unary(_ transform: @escaping @Sendable (Tensor) -> Tensor) -> ONNXBuilder {
    { _ in
      { arguments throws(ONNXMismatch) in
        [.floats(try arguments.floats(0).map(transform))]
      }
    }
  }

  /// LeakyRelu.
  static func leakyReLU(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let slope = try plan.number("alpha", 0.01)
    return elementwise { $0.leakyReLU(slope: slope) }
  }

  /// Elu: x, or alpha * (exp(x) - 1) below zero.
  static func elu(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let alpha = try plan.number("alpha", 1)
    return elementwise { $0.mappedOneByOne { $0 > 0 ? $0 : alpha * expm1($0) } }
  }

  /// HardSigmoid: alpha * x + beta, limited to 0...1.
  static func hardSigmoid(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let alpha = try plan.number("alpha", 0.2)
    let beta = try plan.number("beta", 0.5)
    return elementwise { $0.hardSigmoid(alpha, beta) }
  }

  /// HardSwish: x times its hard sigmoid.
  static func hardSwish(_ plan: inout ONNXNodePlan) -> ONNXBody {
    elementwise { x in
      x * x.hardSigmoid(1 / 6, 0.5)
    }
  }

  /// Gelu: x times the normal distribution at x, or its approximation by tanh.
  static func gelu(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    if try plan.text("approximate", ["none", "tanh"]) == "tanh" {
      return elementwise {
        $0.mappedOneByOne {
          0.5 * $0 * (1 + tanh(0.797_884_56 * ($0 + 0.044_715 * $0 * $0 * $0)))
        }
      }
    }
    return elementwise { $0.mappedOneByOne { 0.5 * $0 * (1 + erf($0 * 0.707_106_77)) } }
  }

  private static func elementwise(
    _ transform: @escaping @Sendable (Tensor) -> Tensor
  ) -> ONNXBody {
    { arguments throws(ONNXMismatch) in
      [.floats(try arguments.floats(0).map(transform))]
    }
  }

  /// Clip. The bounds are settings before version 11, and inputs from then on.
  static func clip(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let low = try plan.number("min", -.infinity)
    let high = try plan.number("max", .infinity)
    return { arguments throws(ONNXMismatch) in
      let low = try arguments.number(1) ?? low
      let high = try arguments.number(2) ?? high
      guard low <= high else { throw ONNXMismatch("its bounds are \(low) and \(high)") }
      if case .integers(let integers) = try arguments.value(0) {
        let (least, largest) = (integer(low), integer(high))
        return [
          .integers(
            ONNXIntegers(
              integers.values.map { min(max($0, least), largest) }, shape: integers.shape))
        ]
      }
      return [.floats(try arguments.floats(0).map { $0.clamped(to: low...high) })]
    }
  }

  /// The closest integer of 64 bits towards zero.
  private static func integer(_ number: Float) -> Int {
    abs(number) < 0x1p63 ? Int(number) : number < 0 ? .min : .max
  }

  /// An operation on pairs of integers, with broadcasting.
  static func integerBinary(_ combine: @escaping @Sendable (Int, Int) -> Int?) -> ONNXBuilder {
    { _ in
      { arguments throws(ONNXMismatch) in
        [.integers(try combined(arguments.integers(0), arguments.integers(1), combine))]
      }
    }
  }

  /// An operation on pairs of elements, with broadcasting. `integers` gives nil for a result that
  /// is not an integer of 64 bits.
  static func binary(
    _ floats: @escaping @Sendable (Tensor, Tensor) -> Tensor,
    _ integers: @escaping @Sendable (Int, Int) -> Int?
  ) -> ONNXBuilder {
    { plan throws(ONNXMismatch) in
      guard plan.node.inputs.count == 2 else {
        throw ONNXMismatch("it has \(plan.node.inputs.count) inputs instead of two")
      }
      return { arguments throws(ONNXMismatch) in
        let pair = (try arguments.value(0), try arguments.value(1))
        if case (.integers(let a), .integers(let b)) = pair {
          return [.integers(try combined(a, b, integers))]
        }
        return [.floats(try combined(arguments.floats(0), arguments.floats(1), floats))]
      }
    }
  }

  /// An operation on any number of tensors, two by two: Max, Min and Sum.
  static func folded(
    _ floats: @escaping @Sendable (Tensor, Tensor) -> Tensor,
    _ integers: @escaping @Sendable (Int, Int) -> Int?
  ) -> ONNXBuilder {
    { plan throws(ONNXMismatch) in
      let count = plan.node.inputs.count
      return { arguments throws(ONNXMismatch) in
        if case .integers(var result) = try arguments.value(0) {
          for index in 1..<max(1, count) {
            result = try combined(result, arguments.integers(index), integers)
          }
          return [.integers(result)]
        }
        var result = try arguments.floats(0)
        for index in 1..<max(1, count) {
          result = try combined(result, arguments.floats(index), floats)
        }
        return [.floats(result)]
      }
    }
  }

  /// Pow. The exponent may be an integer.
  static func power(_ plan: inout ONNXNodePlan) -> ONNXBody {
    { arguments throws(ONNXMismatch) in
      let x = try arguments.floats(0)
      if case let exponent = try arguments.value(1), exponent.shape.allSatisfy({ $0 == 1 }),
        exponent.rank <= x.rank, let number = try arguments.number(1)
      {
        return [.floats(x.map { $0.pow(number) })]
      }
      return [
        .floats(
          try combined(x, arguments.floats(1)) { a, b in
            Tensor.broadcast(a, b, "pow") { a, b in
              var result = Lanes.zero
              for lane in 0..<Lanes.scalarCount { result[lane] = Foundation.pow(a[lane], b[lane]) }
              return result
            }
          })
      ]
    }
  }

  /// PRelu. The slopes broadcast to the input, but not the input to them.
  static func prelu(_ plan: inout ONNXNodePlan) -> ONNXBody {
    { arguments throws(ONNXMismatch) in
      let x = try arguments.floats(0)
      let slopes = try arguments.floats(1)
      guard try x.shape.broadcast(with: slopes.shape) == x.shape else {
        throw ONNXMismatch("its slopes \(slopes.shape) do not fit its input \(x.shape)")
      }
      return [
        .floats(
          try combined(x, slopes) { x, slopes in
            Tensor.broadcast(x, slopes, "prelu") { .select($0 .> 0, $0, $0 * $1) }
          })
      ]
    }
  }

  /// The result of `combine` for two tensors, brought to the same order of axes.
  static func combined(
    _ a: ONNXFloats, _ b: ONNXFloats, _ combine: (Tensor, Tensor) -> Tensor
  ) throws(ONNXMismatch) -> ONNXFloats {
    _ = try a.shape.broadcast(with: b.shape)
    guard a.isChannelsLast || b.isChannelsLast, max(a.rank, b.rank) == 4 else {
      return ONNXFloats(combine(a.fileOrder, b.fileOrder))
    }
    func images(_ x: ONNXFloats) -> Tensor {
      if x.rank == 4 { return x.channelsLast }
      let shape = [Int](repeating: 1, count: 4 - x.rank) + x.shape
      return ONNXFloats(x.fileOrder.viewed(as: shape)).channelsLast
    }
    return ONNXFloats(channelsLast: combine(images(a), images(b)))
  }

  /// The result of `combine` for two tensors of integers, with broadcasting. Throws if one of the
  /// results is not an integer of 64 bits.
  static func combined(
    _ a: ONNXIntegers, _ b: ONNXIntegers, _ combine: (Int, Int) -> Int?
  ) throws(ONNXMismatch) -> ONNXIntegers {
    let shape = try a.shape.broadcast(with: b.shape)
    _ = try shape.elementCount(limit: ONNXLimit.integers)
    let (left, right) = (a.expanded(to: shape), b.expanded(to: shape))
    var values: [Int] = []
    values.reserveCapacity(left.values.count)
    for (a, b) in zip(left.values, right.values) {
      guard let value = combine(a, b) else {
        throw ONNXMismatch("its result for \(a) and \(b) is not an integer of 64 bits")
      }
      values.append(value)
    }
    return ONNXIntegers(values, shape: shape)
  }
}

extension ONNXIntegers {
  /// The integers repeated to a shape to which theirs broadcasts.
  func expanded(to shape: [Int]) -> ONNXIntegers {
    guard shape != self.shape else { return self }
    let strides = self.shape.broadcast(StridedView.denseStrides(self.shape), to: shape)
    let repeated = ONNXValue.integers(self).gathered(shape: shape, strides: strides)
    guard case .integers(let result) = repeated else { return self }
    return result
  }
}

extension Tensor {
  fileprivate func hardSigmoid(_ alpha: Float, _ beta: Float) -> Tensor {
    mapped { x in
      let line = Lanes(repeating: alpha) * x + Lanes(repeating: beta)
      return .select(line .< 0, .zero, .select(line .> 1, Lanes(repeating: 1), line))
    }
  }
}
