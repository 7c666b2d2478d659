import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// What `Tests/Fixtures/make_alignment.py` writes of NumPy's decompositions.
private struct Golden: Decodable {
  struct Case: Decodable {
    var rows, columns: Int
    var elements, values: [Double]
  }

  var matrices: [Case]

  static func load() throws -> Golden {
    try JSONDecoder().decode(
      Golden.self, from: Data(contentsOf: Paths.fixture("alignment.json")))
  }
}

@Suite struct SingularValueTests {
  @Test func equalNumPys() throws {
    let golden = try Golden.load()
    #expect(golden.matrices.count == 13)
    for item in golden.matrices {
      let matrix = Matrix(rows: item.rows, columns: item.columns, elements: item.elements)
      let found = try matrix.singularValues()
      let scale = max(item.values[0], 1e-300)
      #expect(found.values.count == item.values.count)
      for (value, expected) in zip(found.values, item.values) {
        #expect(abs(value - expected) <= 1e-13 * scale, "\(item.rows)x\(item.columns)")
      }
      let rebuilt = product(scaledColumns(found.left, found.values), found.rightTransposed)
      for (element, expected) in zip(rebuilt.elements, matrix.elements) {
        #expect(abs(element - expected) <= 1e-13 * scale)
      }
    }
  }

  @Test func vectorsAreOrthonormal() throws {
    for item in try Golden.load().matrices {
      let found = try Matrix(rows: item.rows, columns: item.columns, elements: item.elements)
        .singularValues()
      let k = min(item.rows, item.columns)
      let left = product(transposed(found.left), found.left)
      let right = product(found.rightTransposed, transposed(found.rightTransposed))
      for i in 0..<k {
        for j in 0..<k {
          #expect(abs(left[i, j] - (i == j ? 1 : 0)) < 1e-13)
          #expect(abs(right[i, j] - (i == j ? 1 : 0)) < 1e-13)
        }
      }
    }
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func refusesWhatIsNotFinite(_ value: Double) {
    #expect(throws: LinearAlgebraError.notFinite) {
      try Matrix(rows: 2, columns: 2, elements: [1, 2, value, 4]).singularValues()
    }
  }

  @Test func misuseStops() async {
    await #expect(processExitsWith: .failure) {
      _ = Matrix(rows: 2, columns: 2, elements: [1, 2, 3])
    }
    await #expect(processExitsWith: .failure) {
      _ = Matrix(rows: 0, columns: 2, elements: [])
    }
  }

  private func product(_ a: Matrix, _ b: Matrix) -> Matrix {
    var c = Matrix(
      rows: a.rows, columns: b.columns,
      elements: [Double](repeating: 0, count: a.rows * b.columns))
    for i in 0..<a.rows {
      for j in 0..<b.columns {
        for k in 0..<a.columns { c[i, j] += a[i, k] * b[k, j] }
      }
    }
    return c
  }

  private func transposed(_ a: Matrix) -> Matrix {
    Matrix(
      rows: a.columns, columns: a.rows,
      elements: (0..<a.columns).flatMap { j in (0..<a.rows).map { a[$0, j] } })
  }

  private func scaledColumns(_ a: Matrix, _ factors: [Double]) -> Matrix {
    var scaled = a
    for i in 0..<a.rows {
      for j in 0..<a.columns { scaled[i, j] *= factors[j] }
    }
    return scaled
  }
}
