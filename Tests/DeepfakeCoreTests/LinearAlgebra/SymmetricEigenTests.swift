import DeepfakeCore
import Testing

@Suite struct SymmetricEigenTests {
  @Test func theVectorsMakeTheMatrixAgain() throws {
    var generator = SeededGenerator(seed: 4)
    let (rows, n) = (15, 9)
    let data = Matrix(
      rows: rows, columns: n, elements: (0..<rows * n).map { _ in Double(generator.normal()) })
    let product = data.transposedTimesSelf()
    for i in 0..<n {
      for j in 0..<n {
        let sum = (0..<rows).reduce(0.0) { $0 + data[$1, i] * data[$1, j] }
        #expect(abs(product[i, j] - sum) < 1e-12)
      }
    }
    let eigen = try product.symmetricEigenvectors()
    #expect(eigen.values == eigen.values.sorted(by: >) && eigen.values.allSatisfy { $0 > 0 })
    for i in 0..<n {
      for j in 0..<n {
        let made = (0..<n).reduce(0.0) {
          $0 + eigen.values[$1] * eigen.vectors[$1, i] * eigen.vectors[$1, j]
        }
        #expect(abs(made - product[i, j]) < 1e-10)
        let dot = (0..<n).reduce(0.0) { $0 + eigen.vectors[i, $1] * eigen.vectors[j, $1] }
        #expect(abs(dot - (i == j ? 1 : 0)) < 1e-12)
      }
    }
  }

  @Test func knownValues() throws {
    let eigen = try Matrix(rows: 2, columns: 2, elements: [2, 1, 1, 2]).symmetricEigenvectors()
    #expect(abs(eigen.values[0] - 3) < 1e-12 && abs(eigen.values[1] - 1) < 1e-12)
    #expect(throws: LinearAlgebraError.notFinite) {
      try Matrix(rows: 1, columns: 1, elements: [.nan]).symmetricEigenvectors()
    }
  }
}
