import CDFKernels

/// The product of two matrices, or of each pair of matrices in two stacks.
package struct MatrixProduct: Operation {
  /// Whether the last two axes of the left operand are swapped first.
  package let transposesLeft: Bool
  /// Whether the last two axes of the right operand are swapped first.
  package let transposesRight: Bool

  /// Creates the operation; by default no operand is transposed.
  package init(transposesLeft: Bool = false, transposesRight: Bool = false) {
    self.transposesLeft = transposesLeft
    self.transposesRight = transposesRight
  }

  /// Inputs: a [..., m, k] and b [..., k, n]. Their leading axes are equal, or one input has none.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    (product(inputs[0], inputs[1]), inputs)
  }

  /// The gradient times the transpose of the other operand. If an operand without leading axes was
  /// used for a whole stack, its gradient is summed over the stack.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let (a, b) = (saved[0], saved[1])
    func product(_ a: Tensor, _ left: Bool, _ b: Tensor, _ right: Bool) -> Tensor {
      MatrixProduct(transposesLeft: left, transposesRight: right).product(a, b)
    }
    var (ofA, ofB): (Tensor?, Tensor?)
    if wants[0] {
      ofA =
        transposesLeft
        ? product(b, transposesRight, gradient, true)
        : product(gradient, false, b, !transposesRight)
    }
    if wants[1] {
      ofB =
        transposesRight
        ? product(gradient, true, a, transposesLeft)
        : product(a, !transposesLeft, gradient, false)
    }
    return [ofA?.summed(to: a.shape), ofB?.summed(to: b.shape)]
  }

  private func product(_ a: Tensor, _ b: Tensor) -> Tensor {
    precondition(
      a.rank >= 2 && b.rank >= 2, "matrix product: \(a.shape) and \(b.shape) are not matrices"
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
    // The kernels support one transposed operand. If both are, the right one is transposed first.
    let right =
      transposesLeft && transposesRight
      ? b.transposed(Array(0..<b.rank - 2) + [b.rank - 1, b.rank - 2]) : b
    let matrices = Tensor.elementCount(of: stack)
    let (strideA, strideB) = (stackA.isEmpty ? 0 : m * k, stackB.isEmpty ? 0 : k * n)
    let (left, turned) = (transposesLeft, transposesRight && !transposesLeft)
    return Tensor(shape: shape) { c in
      a.withUnsafeBuffer { a in
        right.withUnsafeBuffer { b in
          guard let a = a.baseAddress, let b = b.baseAddress, let c = c.baseAddress else { return }
          nonisolated(unsafe) let (allA, allB, allC) = (a, b, c)
          // Matrices with the same right operand are computed as one tall matrix.
          let joined = strideB == 0 && !left
          let count = joined ? matrices * m : m
          Parallel.forEach(joined ? 1 : matrices) { matrix in
            let (a, b) = (allA + matrix * strideA, allB + matrix * strideB)
            let c = allC + matrix * m * n
            if left {
              df_f32_gemm_transposed(k, count, n, a, count, b, n, c, n)
              return
            }
            let packed = Tensor(shape: [df_f32_packed_count(k, n)]) {
              (turned ? df_f32_pack_transposed : df_f32_pack)(
                k, n, b, turned ? k : n, $0.baseAddress)
            }
            packed.withUnsafeBuffer {
              df_f32_gemm_packed(count, n, k, a, k, $0.baseAddress, c, n, nil)
            }
          }
        }
      }
    }
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    let (a, b) = (inputs[0], inputs[1])
    guard a.rank == 2, b.rank == 2 else {
      func order(_ rank: Int, _ isTransposed: Bool) -> [Int] {
        Array(0..<rank - 2) + (isTransposed ? [rank - 1, rank - 2] : [rank - 2, rank - 1])
      }
      let left = graph.name(a, in: order(a.rank, transposesLeft))
      return graph.value(
        "MatMul", [left, graph.name(b, in: order(b.rank, transposesRight))], shape: output)
    }
    // A layer's weights are [out, in] in files, and stay so.
    let isLayer =
      if case .constant(_, let parameter?) = b.source { parameter.layout == .linear } else { false }
    return graph.value(
      "Gemm", [graph.name(a), graph.name(b, in: isLayer ? [1, 0] : nil)],
      [
        "transA": .integer(transposesLeft ? 1 : 0),
        "transB": .integer(transposesRight != isLayer ? 1 : 0),
      ],
      shape: output)
  }
}

extension Tensor {
  /// The matrix product of [..., m, k] and [..., k, n]. The leading axes are equal, or one tensor
  /// has none and is multiplied with every matrix of the other.
  public func matmul(
    _ other: Tensor, transposingLeft: Bool = false, transposingRight: Bool = false
  ) -> Tensor {
    MatrixProduct(transposesLeft: transposingLeft, transposesRight: transposingRight)(self, other)
  }
}
