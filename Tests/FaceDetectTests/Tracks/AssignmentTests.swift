import DeepfakeCore
import FaceDetect
import Testing

@Suite struct AssignmentTests {
  /// The greatest sum, by trying everything.
  private func bruteForce(_ gains: [[Double]], row: Int = 0, used: Set<Int> = []) -> Double {
    guard row < gains.count else { return 0 }
    var best = bruteForce(gains, row: row + 1, used: used)
    for (column, gain) in gains[row].enumerated() where gain > 0 && !used.contains(column) {
      best = max(best, gain + bruteForce(gains, row: row + 1, used: used.union([column])))
    }
    return best
  }

  @Test func nothingIsBetter() {
    var generator = SeededGenerator(seed: 11)
    for _ in 0..<400 {
      let rows = Int.random(in: 1...6, using: &generator)
      let columns = Int.random(in: 1...6, using: &generator)
      // Whole numbers bring ties.
      let whole = Bool.random(using: &generator)
      let gains = (0..<rows).map { _ in
        (0..<columns).map { _ in
          let value = Double(generator.uniform()) * 8 - 3
          return whole ? value.rounded() : value
        }
      }
      let found = Assignment.best(gains)
      let pairs = found.enumerated().compactMap { row, column in column.map { (row, $0) } }
      #expect(Set(pairs.map(\.1)).count == pairs.count)
      #expect(pairs.allSatisfy { gains[$0.0][$0.1] > 0 })
      let sum = pairs.reduce(0) { $0 + gains[$1.0][$1.1] }
      #expect(abs(sum - bruteForce(gains)) < 1e-9)
    }
  }

  @Test func theGreedyChoiceIsNotTaken() {
    #expect(Assignment.best([[10, 9], [9, 1]]) == [1, 0])
    #expect(Assignment.best([[10, 0], [9, 0]]) == [0, nil])
  }

  @Test func emptyAndHopeless() {
    #expect(Assignment.best([]) == [])
    #expect(Assignment.best([[], []]) == [nil, nil])
    #expect(Assignment.best([[-1, 0], [0, -5]]) == [nil, nil])
  }

  @Test func hundredsAreQuick() {
    var generator = SeededGenerator(seed: 2)
    let gains = (0..<200).map { row in
      (0..<200).map { $0 == (row * 7) % 200 ? 2 : Double(generator.uniform()) }
    }
    #expect(Assignment.best(gains) == (0..<200).map { ($0 * 7) % 200 })
  }
}
