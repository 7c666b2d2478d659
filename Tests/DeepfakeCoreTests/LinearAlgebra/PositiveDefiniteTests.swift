import DeepfakeCore
import Testing

@Suite struct PositiveDefiniteTests {
  @Test func solves() throws {
    // A = B Bt + I for a random B, and a right side made of a known answer.
    var generator = SeededGenerator(seed: 3)
    let n = 9
    let b = (0..<n * n).map { _ in Double(generator.normal()) }
    var elements = [Double](repeating: 0, count: n * n)
    for row in 0..<n {
      for column in 0..<n {
        elements[row * n + column] =
          (0..<n).reduce(row == column ? 1 : 0) { $0 + b[row * n + $1] * b[column * n + $1] }
      }
    }
    let answer = (0..<n).map { Double($0) - 3.5 }
    let right = (0..<n).map { row in
      (0..<n).reduce(0.0) { $0 + elements[row * n + $1] * answer[$1] }
    }
    let matrix = Matrix(rows: n, columns: n, elements: elements)
    for (found, expected) in zip(try matrix.solvedPositiveDefinite(right), answer) {
      #expect(abs(found - expected) < 1e-9)
    }
  }

  @Test func refusesOthers() {
    let indefinite = Matrix(rows: 2, columns: 2, elements: [1, 2, 2, 1])
    #expect(throws: LinearAlgebraError.notPositiveDefinite) {
      try indefinite.solvedPositiveDefinite([1, 1])
    }
    let odd = Matrix(rows: 1, columns: 1, elements: [.nan])
    #expect(throws: LinearAlgebraError.notFinite) { try odd.solvedPositiveDefinite([1]) }
  }
}
