import COpenBLAS

/// A thin singular value decomposition: the matrix equals left * diagonal(values) *
/// rightTransposed.
package struct SingularValueDecomposition: Sendable, Equatable {
  /// The left singular vectors, [m, k] with k = min(m, n); the columns are orthonormal.
  package let left: Matrix
  /// The k singular values, largest first, none negative.
  package let values: [Double]
  /// The right singular vectors, [k, n]; the rows are orthonormal.
  package let rightTransposed: Matrix
}

extension Matrix {
  /// The singular value decomposition, by LAPACK's divide and conquer method (`dgesdd`).
  ///
  /// - Throws: `LinearAlgebraError` if an element is not finite or, very rarely, the iteration does
  ///   not converge.
  package func singularValues() throws(LinearAlgebraError) -> SingularValueDecomposition {
    guard elements.allSatisfy(\.isFinite) else { throw .notFinite }
    let (m, n, k) = (rows, columns, min(rows, columns))
    precondition(
      max(m, n) <= Int(Int32.max) / 16, "singularValues: \(m)x\(n) is too large for LAPACK")
    var input = elements
    var left = [Double](repeating: 0, count: m * k)
    var values = [Double](repeating: 0, count: k)
    var right = [Double](repeating: 0, count: k * n)
    _ = OpenBLAS.singleThreaded
    let status = LAPACKE_dgesdd(
      LAPACK_ROW_MAJOR, CChar(UInt8(ascii: "S")), numericCast(m), numericCast(n), &input,
      numericCast(n), &values, &left, numericCast(k), &right, numericCast(n))
    guard status == 0 else {
      precondition(status > 0, "singularValues: LAPACK refused argument \(-status)")
      throw .noConvergence
    }
    return SingularValueDecomposition(
      left: Matrix(rows: m, columns: k, elements: left), values: values,
      rightTransposed: Matrix(rows: k, columns: n, elements: right))
  }
}
