/// Names (of videos, persons, originals) that samples of two sides have in common.
struct SharedNames {
  /// The names that two sides share, and the samples that have them.
  struct Finding {
    /// Names on both sides.
    var names = 0
    /// Numbers of samples with a shared name, on the first and on the second side.
    var touched = (first: 0, second: 0)
    /// One pair for each of some shared names: a sample of each side.
    var examples: [SampleLink] = []
  }

  private let table: SampleTable
  private let sides: [Int]
  private let kind: LinkKind
  /// Bit sets of sides, one for each word of the table. `derived`: sides with samples whose
  /// original is this video (kind `original` only). `own`: sides with samples of this video or
  /// person.
  private var derived: [UInt64]
  private var own: [UInt64]

  init(_ kind: LinkKind, _ table: SampleTable, _ sides: AuditSides) {
    precondition(sides.names.count <= 64, "SharedNames: \(sides.names.count) sides, at most 64")
    self.table = table
    self.sides = sides.sides
    self.kind = kind
    derived = [UInt64](repeating: 0, count: table.words.words.count)
    own = derived
    for (row, side) in zip(table.rows, sides.sides) {
      let bit = UInt64(1) << UInt64(side)
      let word = kind == .person ? row.person : row.video
      if word >= 0 { own[Int(word)] |= bit }
      if kind == .original, row.original >= 0 { derived[Int(row.original)] |= bit }
    }
  }

  func finding(_ first: Int, _ second: Int, examples limit: Int) -> Finding {
    let (a, b) = (UInt64(1) << UInt64(first), UInt64(1) << UInt64(second))
    var samples: [Int32: (first: Int?, second: Int?)] = [:]
    var order: [Int32] = []
    var finding = Finding()
    for (index, row) in table.rows.enumerated() {
      guard sides[index] == first || sides[index] == second else { continue }
      let words =
        kind == .original ? [row.original, row.video] : [kind == .person ? row.person : row.video]
      guard let word = words.first(where: { $0 >= 0 && isShared(Int($0), a, b) }) else { continue }
      if samples[word] == nil { order.append(word) }
      if sides[index] == first {
        finding.touched.first += 1
        samples[word, default: (nil, nil)].first = samples[word]?.first ?? index
      } else {
        finding.touched.second += 1
        samples[word, default: (nil, nil)].second = samples[word]?.second ?? index
      }
    }
    finding.names = order.count
    finding.examples = order.lazy.compactMap { word in
      guard let one = samples[word]?.first, let other = samples[word]?.second else { return nil }
      return SampleLink(one, other, kind)
    }.prefix(limit).map { $0 }
    return finding
  }

  private func isShared(_ word: Int, _ a: UInt64, _ b: UInt64) -> Bool {
    guard kind == .original else { return own[word] & a != 0 && own[word] & b != 0 }
    // At least one side must have a fake made from the video. That both sides have the video itself
    // is the kind `video`.
    let all = own[word] | derived[word]
    return all & a != 0 && all & b != 0 && derived[word] & (a | b) != 0
  }
}
