/// A small dense matrix in double precision, for geometry and statistics. Networks use tensors.
package struct Matrix: Sendable, Equatable {
  /// The number of rows, at least 1.
  package let rows: Int
  /// The number of columns, at least 1.
  package let columns: Int
  /// The rows * columns elements, row by row.
  package private(set) var elements: [Double]

  /// Creates a matrix from rows * columns `elements`, row by row. Both extents must be positive.
  package init(rows: Int, columns: Int, elements: [Double]) {
    let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
    precondition(
      rows > 0 && columns > 0 && !overflow && elements.count == count,
      "Matrix: \(elements.count) elements do not fill \(rows)x\(columns)")
    self.rows = rows
    self.columns = columns
    self.elements = elements
  }

  /// The element in a row and a column, counted from 0.
  package subscript(row: Int, column: Int) -> Double {
    get { elements[offset(row, column)] }
    set { elements[offset(row, column)] = newValue }
  }

  private func offset(_ row: Int, _ column: Int) -> Int {
    precondition(
      row >= 0 && row < rows && column >= 0 && column < columns,
      "Matrix: (\(row), \(column)) is outside \(rows)x\(columns)")
    return row * columns + column
  }
}

/// An error of linear algebra.
package enum LinearAlgebraError: Error, Sendable, Equatable, CustomStringConvertible {
  /// An element is infinite or NaN.
  case notFinite
  /// The iteration did not converge.
  case noConvergence
  /// The matrix is not positive definite.
  case notPositiveDefinite

  package var description: String {
    switch self {
    case .notFinite: "a matrix has elements that are infinite or not numbers."
    case .noConvergence: "a decomposition did not converge."
    case .notPositiveDefinite: "a matrix is not positive definite."
    }
  }
}
