import COpenBLAS

/// The product of matrices, or of every pair in two stacks of them.
public struct MatrixProduct: Operation {
  /// Whether the last two axes of the left operand are swapped first.
  public let transposesLeft: Bool
  /// Whether the last two axes of the right operand are swapped first.
  public let transposesRight: Bool

  /// The operation; operands are taken as they are unless told otherwise.
  public init(transposesLeft: Bool = false, transposesRight: Bool = false) {
    self.transposesLeft = transposesLeft
    self.transposesRight = transposesRight
  }

  /// Rows of a large product that one task computes. Fixed, so that results do not depend on threads.
  private static let rowsPerTask = 256

  /// Inputs: a [..., m, k], b [..., k, n], whose leading axes are equal, or absent on one side.
  public func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    (product(inputs[0], inputs[1]), inputs)
  }

  private func product(_ a: Tensor, _ b: Tensor) -> Tensor {
    precondition(
      a.rank >= 2 && b.rank >= 2, "matrix product: shapes \(a.shape) and \(b.shape) are no matrices"
    )
    let (stackA, stackB) = (Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2)))
    let (rowsA, columnsA) = (a.shape[a.rank - 2], a.shape[a.rank - 1])
    let (rowsB, columnsB) = (b.shape[b.rank - 2], b.shape[b.rank - 1])
    let (m, k) = transposesLeft ? (columnsA, rowsA) : (rowsA, columnsA)
    let (inner, n) = transposesRight ? (columnsB, rowsB) : (rowsB, columnsB)
    precondition(
      k == inner && (stackA == stackB || stackA.isEmpty || stackB.isEmpty),
      "matrix product: shapes \(a.shape) and \(b.shape) do not fit")
    let stack = stackA.isEmpty ? stackB : stackA
    let shape = stack + [m, n]
    guard m > 0 && n > 0 && k > 0 else { return Tensor(zeros: shape) }
    _ = OpenBLAS.singleThreaded
    let matrices = Tensor.elementCount(of: stack)
    let (strideA, strideB) = (stackA.isEmpty ? 0 : m * k, stackB.isEmpty ? 0 : k * n)
    let tasks = (m + Self.rowsPerTask - 1) / Self.rowsPerTask
    return Tensor(shape: shape) { c in
      a.withUnsafeBuffer { a in
        b.withUnsafeBuffer { b in
          nonisolated(unsafe) let (a, b, c) = (a.baseAddress, b.baseAddress, c.baseAddress)
          Parallel.forEach(matrices * tasks) { unit in
            let (matrix, first) = (unit / tasks, unit % tasks * Self.rowsPerTask)
            let rows = min(Self.rowsPerTask, m - first)
            cblas_sgemm(
              CblasRowMajor, transposesLeft ? CblasTrans : CblasNoTrans,
              transposesRight ? CblasTrans : CblasNoTrans, blasint(rows), blasint(n), blasint(k), 1,
              a?.advanced(by: matrix * strideA + first * (transposesLeft ? 1 : k)),
              blasint(columnsA), b?.advanced(by: matrix * strideB), blasint(columnsB), 0,
              c?.advanced(by: (matrix * m + first) * n), blasint(n))
          }
        }
      }
    }
  }
}

extension Tensor {
  /// The matrix product of [..., m, k] and [..., k, n]; the leading axes are equal, or absent on one
  /// side, which then serves every matrix of the other.
  public func matmul(
    _ other: Tensor, transposingLeft: Bool = false, transposingRight: Bool = false
  ) -> Tensor {
    MatrixProduct(transposesLeft: transposingLeft, transposesRight: transposingRight)(self, other)
  }
}
