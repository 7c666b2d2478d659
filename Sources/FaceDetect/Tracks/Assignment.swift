/// One-to-one assignment with the largest total gain, by the Hungarian method in O(n^3) (Kuhn 1955;
/// shortest augmenting paths by Jonker and Volgenant 1987).
package enum Assignment {
  /// The column assigned to each row; nil for a row without one.
  ///
  /// The rows of `gains` have the same length, and all gains are finite. Pairs are chosen to
  /// maximise the sum of their gains; a pair with a gain of 0 or less is never chosen.
  package static func best(_ gains: [[Double]]) -> [Int?] {
    let rows = gains.count
    let columns = gains.first?.count ?? 0
    precondition(
      gains.allSatisfy { $0.count == columns && $0.allSatisfy(\.isFinite) },
      "Assignment: gains are not a matrix of finite numbers")
    guard rows > 0 && columns > 0 else { return [Int?](repeating: nil, count: rows) }
    // Additional columns, one per row, mean that the row stays unassigned.
    var solver = Solver(rows: rows, columns: columns + rows) { row, column in
      column < columns ? -max(0, gains[row][column]) : 0
    }
    return solver.solve().enumerated().map { row, column in
      column < columns && gains[row][column] > 0 ? column : nil
    }
  }

  /// Adds the rows one by one, each along the cheapest augmenting path. The potentials keep all
  /// reduced costs from becoming negative.
  private struct Solver {
    let rows: Int
    let columns: Int
    let cost: (Int, Int) -> Double
    var rowPotential: [Double]
    var columnPotential: [Double]
    /// The row assigned to each column, or -1; the last element is the row being added.
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
