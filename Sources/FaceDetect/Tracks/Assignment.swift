/// One-to-one assignment of greatest gain, by the Hungarian method in its O(n^3) form (Kuhn 1955;
/// shortest augmenting paths after Jonker and Volgenant 1987).
package enum Assignment {
  /// For each row, the column it is given, or nil.
  ///
  /// `gains` has rows of equal length. A pair whose gain is not above 0 is never made; of all
  /// others, those are made whose gains add up to most. Gains must be finite.
  package static func best(_ gains: [[Double]]) -> [Int?] {
    let rows = gains.count
    let columns = gains.first?.count ?? 0
    precondition(
      gains.allSatisfy { $0.count == columns && $0.allSatisfy(\.isFinite) },
      "Assignment: gains are not a matrix of finite numbers")
    guard rows > 0 && columns > 0 else { return [Int?](repeating: nil, count: rows) }
    // Further columns, one a row, stand for giving the row nothing.
    var solver = Solver(rows: rows, columns: columns + rows) { row, column in
      column < columns ? -max(0, gains[row][column]) : 0
    }
    return solver.solve().enumerated().map { row, column in
      column < columns && gains[row][column] > 0 ? column : nil
    }
  }

  /// Rows join one by one, each along the cheapest path of exchanges; potentials keep all reduced
  /// costs from falling below 0.
  private struct Solver {
    let rows: Int
    let columns: Int
    let cost: (Int, Int) -> Double
    var rowPotential: [Double]
    var columnPotential: [Double]
    /// The row that each column is given, or -1; the last place is for the row that joins.
    var rowOf: [Int]

    init(rows: Int, columns: Int, cost: @escaping (Int, Int) -> Double) {
      self.rows = rows
      self.columns = columns
      self.cost = cost
      rowPotential = [Double](repeating: 0, count: rows)
      columnPotential = [Double](repeating: 0, count: columns + 1)
      rowOf = [Int](repeating: -1, count: columns + 1)
    }

    mutating func solve() -> [Int] {
      for row in 0..<rows { join(row) }
      var columnOf = [Int](repeating: 0, count: rows)
      for column in 0..<columns where rowOf[column] >= 0 { columnOf[rowOf[column]] = column }
      return columnOf
    }

    private mutating func join(_ row: Int) {
      rowOf[columns] = row
      var distance = [Double](repeating: .infinity, count: columns)
      var before = [Int](repeating: columns, count: columns)
      var visited = [Bool](repeating: false, count: columns + 1)
      var current = columns
      while rowOf[current] >= 0 {
        visited[current] = true
        let from = rowOf[current]
        var (step, next) = (Double.infinity, current)
        for column in 0..<columns where !visited[column] {
          let reduced = cost(from, column) - rowPotential[from] - columnPotential[column]
          if reduced < distance[column] {
            distance[column] = reduced
            before[column] = current
          }
          if distance[column] < step {
            step = distance[column]
            next = column
          }
        }
        for column in 0...columns where visited[column] {
          rowPotential[rowOf[column]] += step
          columnPotential[column] -= step
        }
        for column in 0..<columns where !visited[column] { distance[column] -= step }
        current = next
      }
      while current != columns {
        rowOf[current] = rowOf[before[current]]
        current = before[current]
      }
      rowOf[columns] = -1
    }
  }
}
