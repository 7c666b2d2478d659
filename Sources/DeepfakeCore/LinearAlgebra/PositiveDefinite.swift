import COpenBLAS

extension Matrix {
  /// Solves this matrix times x = `right` for x, by LAPACK's Cholesky factorisation (`dposv`). The
  /// matrix must be symmetric; only its upper half is read.
  ///
  /// - Throws: `LinearAlgebraError` if an element is not finite or the matrix is not positive
  ///   definite.
  package func solvedPositiveDefinite(_ right: [Double]) throws(LinearAlgebraError) -> [Double] {
    precondition(
      rows == columns && right.count == rows,
      "solvedPositiveDefinite: \(rows)x\(columns) for \(right.count) numbers")
    guard elements.allSatisfy(\.isFinite), right.allSatisfy(\.isFinite) else { throw .notFinite }
    precondition(rows <= Int(Int32.max) / 16, "solvedPositiveDefinite: too large for LAPACK")
    var factor = elements
    var solution = right
    _ = OpenBLAS.singleThreaded
    let status = LAPACKE_dposv(
      LAPACK_ROW_MAJOR, CChar(UInt8(ascii: "U")), numericCast(rows), 1, &factor,
      numericCast(rows), &solution, 1)
    guard status == 0 else {
      precondition(status > 0, "solvedPositiveDefinite: LAPACK refused argument \(-status)")
      throw .notPositiveDefinite
    }
    return solution
  }
}
