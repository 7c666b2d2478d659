import COpenBLAS

/// Eigenvalues and eigenvectors of a symmetric matrix. The matrix is the sum of value * vector *
/// vector transposed over all pairs.
package struct SymmetricEigenDecomposition: Sendable, Equatable {
  /// The n eigenvalues, largest first.
  package let values: [Double]
  /// The eigenvectors, [n, n]; row i belongs to `values[i]`, and the rows are orthonormal.
  package let vectors: Matrix
}

extension Matrix {
  /// The eigenvalues and eigenvectors, by LAPACK's divide and conquer method (`dsyevd`). The matrix
  /// must be symmetric; only its upper half is read.
  ///
  /// - Throws: `LinearAlgebraError` if an element is not finite or, very rarely, the iteration does
  ///   not converge.
  package func symmetricEigenvectors() throws(LinearAlgebraError) -> SymmetricEigenDecomposition {
    precondition(rows == columns, "symmetricEigenvectors: \(rows)x\(columns) is not square")
    precondition(rows <= Int(Int32.max) / 16, "symmetricEigenvectors: too large for LAPACK")
    guard elements.allSatisfy(\.isFinite) else { throw .notFinite }
    let n = rows
    var work = elements
    var ascending = [Double](repeating: 0, count: n)
    _ = OpenBLAS.singleThreaded
    let status = LAPACKE_dsyevd(
      LAPACK_ROW_MAJOR, CChar(UInt8(ascii: "V")), CChar(UInt8(ascii: "U")), numericCast(n), &work,
      numericCast(n), &ascending)
    guard status == 0 else {
      precondition(status > 0, "symmetricEigenvectors: LAPACK refused argument \(-status)")
      throw .noConvergence
    }
    // LAPACK returns eigenvectors as columns, the smallest eigenvalue first.
    var vectors = [Double](repeating: 0, count: n * n)
    for row in 0..<n {
      for column in 0..<n { vectors[row * n + column] = work[column * n + n - 1 - row] }
    }
    return SymmetricEigenDecomposition(
      values: ascending.reversed(), vectors: Matrix(rows: n, columns: n, elements: vectors))
  }

  /// The transposed matrix times the matrix, [columns, columns], by BLAS (`dsyrk`). If the rows are
  /// centred samples, this is their number times the covariance matrix.
  package func transposedTimesSelf() -> Matrix {
    precondition(
      max(rows, columns) <= Int(Int32.max) / 16, "transposedTimesSelf: too large for BLAS")
    let n = columns
    var product = [Double](repeating: 0, count: n * n)
    _ = OpenBLAS.singleThreaded
    cblas_dsyrk(
      CblasRowMajor, CblasUpper, CblasTrans, numericCast(n), numericCast(rows), 1, elements,
      numericCast(n), 0, &product, numericCast(n))
    for row in 0..<n {
      for column in 0..<row { product[row * n + column] = product[column * n + row] }
    }
    return Matrix(rows: n, columns: n, elements: product)
  }
}
