import CDFKernels

/// The second factor of matrix products, packed for the kernels, with a bias for each column.
struct ONNXPackedMatrix: Sendable {
  /// The numbers of rows and columns.
  let rows, columns: Int
  private let key: String
  private let packed: Tensor
  private let bias: Tensor?

  /// Packs `matrix` [rows, columns], which must not be empty.
  init(_ matrix: Tensor, bias: Tensor?, key: String) {
    rows = matrix.shape[0]
    columns = matrix.shape[1]
    self.key = key
    self.bias = bias
    packed = matrix.packedInPanels()
  }

  /// The product of x [..., rows] and the matrix. Throws if x does not fit.
  func callAsFunction(_ x: Tensor) throws(ONNXMismatch) -> Tensor {
    guard x.shape.last == rows else {
      throw ONNXMismatch("its input \(x.shape) does not fit its weights [\(rows), \(columns)]")
    }
    let shape = Array(x.shape.dropLast()) + [columns]
    _ = try shape.elementCount()
    let lines = x.count / rows
    let work = LayerWork(
      .linear, input: x.shape, output: shape, weights: rows * columns,
      multiplyAdds: lines * rows * columns)
    return LayerTimes.measure(key, work: work) {
      Tensor(shape: shape) { y in
        x.withUnsafeBuffer { x in
          packed.withUnsafeBuffer { packed in
            withEpilogue(bias: bias, activation: .identity, slopes: nil, residual: nil) {
              df_f32_gemm_packed(
                lines, columns, rows, x.baseAddress, rows, packed.baseAddress, y.baseAddress,
                columns, $0)
            }
          }
        }
      }
    }
  }
}

extension ONNXOperations {
  /// MatMul, with NumPy's rules.
  static func matrixProduct(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    if let weight = plan.weight(1), weight.shape.count == 2 {
      plan.packed = [1]
      let matrix = ONNXPackedMatrix(try weight.floats(), bias: nil, key: plan.key)
      return { arguments throws(ONNXMismatch) in
        [.floats(ONNXFloats(try matrix(arguments.floats(0).fileOrder)))]
      }
    }
    return { arguments throws(ONNXMismatch) in
      let (a, b) = (try arguments.floats(0).fileOrder, try arguments.floats(1).fileOrder)
      return [.floats(ONNXFloats(try product(a, b)))]
    }
  }

  private static func product(_ a: Tensor, _ b: Tensor) throws(ONNXMismatch) -> Tensor {
    guard a.rank > 0, b.rank > 0 else { throw ONNXMismatch("it has a scalar as a factor") }
    // A vector is a row on the left and a column on the right; its axis is removed at the end.
    let left = a.rank == 1 ? a.viewed(as: [1] + a.shape) : a
    let right = b.rank == 1 ? b.viewed(as: b.shape + [1]) : b
    let (stackA, stackB) = (Array(left.shape.dropLast(2)), Array(right.shape.dropLast(2)))
    let stack = try stackA.broadcast(with: stackB)
    let (m, k) = (left.shape[left.rank - 2], left.shape[left.rank - 1])
    let n = right.shape[right.rank - 1]
    guard right.shape[right.rank - 2] == k else {
      throw ONNXMismatch("its factors \(a.shape) and \(b.shape) do not fit")
    }
    _ = try (stack + [m, n]).elementCount()
    func repeated(_ x: Tensor, _ own: [Int]) throws(ONNXMismatch) -> Tensor {
      if own.isEmpty || own == stack { return x }
      let shape = stack + x.shape.suffix(2)
      _ = try shape.elementCount()
      return x.gathered(shape: shape, strides: x.shape.broadcast(x.strides, to: shape))
    }
    let y = try repeated(left, stackA).matmul(repeated(right, stackB))
    return y.viewed(as: stack + (a.rank == 1 ? [] : [m]) + (b.rank == 1 ? [] : [n]))
  }

  /// Gemm: alpha * A * B + beta * C, where A and B may be transposed.
  static func generalProduct(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let alpha = try plan.number("alpha", 1)
    let beta = try plan.number("beta", 1)
    let transposesA = try plan.flag("transA", false)
    let transposesB = try plan.flag("transB", false)
    let addsBias = plan.has(2) && beta != 0
    @Sendable func left(_ arguments: ONNXArguments) throws(ONNXMismatch) -> Tensor {
      let a = try arguments.floats(0).fileOrder
      guard a.rank == 2 else { throw ONNXMismatch("its input \(a.shape) is not a matrix") }
      return transposesA ? a.transposed([1, 0]) : a
    }
    @Sendable func sum(
      _ product: Tensor, _ arguments: ONNXArguments
    ) throws(ONNXMismatch) -> [ONNXValue] {
      guard addsBias else { return [.floats(ONNXFloats(product))] }
      let c = try arguments.floats(2).fileOrder
      guard try product.shape.broadcast(with: c.shape) == product.shape else {
        throw ONNXMismatch("its bias \(c.shape) does not fit its product \(product.shape)")
      }
      return [.floats(ONNXFloats(product + (beta == 1 ? c : c * beta)))]
    }
    guard let weight = plan.weight(1), weight.shape.count == 2 else {
      return { arguments throws(ONNXMismatch) in
        let a = try left(arguments)
        let b = try arguments.floats(1).fileOrder
        guard b.rank == 2 else { throw ONNXMismatch("its input \(b.shape) is not a matrix") }
        let y = try product(a, transposesB ? b.transposed([1, 0]) : b)
        return try sum(alpha == 1 ? y : y * alpha, arguments)
      }
    }
    plan.packed = [1]
    var matrix = try weight.floats(layout: transposesB ? .linear : .unchanged)
    if alpha != 1 { matrix = matrix * alpha }
    var bias: Tensor?
    if addsBias, let c = plan.weight(2), c.shape.last == matrix.shape[1],
      c.count == matrix.shape[1], c.shape.count <= 2
    {
      let values = try c.floats().viewed(as: [c.count])
      bias = beta == 1 ? values : values * beta
      plan.packed = [1, 2]
    }
    let packed = ONNXPackedMatrix(matrix, bias: bias, key: plan.key)
    let isWhole = bias != nil
    return { arguments throws(ONNXMismatch) in
      let y = try packed(left(arguments))
      return isWhole ? [.floats(ONNXFloats(y))] : try sum(y, arguments)
    }
  }
}
