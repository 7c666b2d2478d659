import DeepfakeCore

/// Puts whole groups of samples into parts of wanted sizes, so that each part has its share of
/// every stratum (a label, a label of one collection).
///
/// Groups are taken from the largest down, those of one size in an order drawn by the seed; each
/// goes where it brings the parts nearest to what is wanted.
struct GroupDraw {
  /// The parts' shares of all samples; they add up to 1.
  let shares: [Double]
  let seed: UInt64

  init(shares: [Double], seed: UInt64) {
    precondition(
      shares.allSatisfy { $0 > 0 } && abs(shares.reduce(0, +) - 1) < 1e-9, "GroupDraw: \(shares)")
    self.shares = shares
    self.seed = seed
  }

  /// The part of each group.
  ///
  /// - Parameters:
  ///   - groups: each sample's group, 0 to `count` - 1.
  ///   - strata: each sample's stratum, from 0.
  func parts(groups: [Int], count: Int, strata: [Int]) -> [Int] {
    let strataCount = (strata.max() ?? 0) + 1
    var totals = [Double](repeating: 0, count: strataCount)
    // Few groups have samples of many strata, so only those there are kept.
    var members = [[Int: Int]](repeating: [:], count: count)
    for (group, stratum) in zip(groups, strata) {
      members[group][stratum, default: 0] += 1
      totals[stratum] += 1
    }
    let contents = members.map { $0.sorted { $0.key < $1.key } }
    let sizes = contents.map { $0.reduce(0) { $0 + $1.value } }
    var generator = SeededGenerator(seed: seed, label: "hold-out")
    let shuffled = (0..<count).shuffled(using: &generator)
    let order = shuffled.enumerated().sorted {
      let (a, b) = (sizes[$0.element], sizes[$1.element])
      return a != b ? a > b : $0.offset < $1.offset
    }
    var filled = [[Double]](
      repeating: [Double](repeating: 0, count: strataCount), count: shares.count)
    var result = [Int](repeating: 0, count: count)
    for (_, group) in order {
      // The rise of the squared distance from what is wanted, in units of it.
      let costs = shares.indices.map { part in
        contents[group].reduce(0.0) { cost, entry in
          let (stratum, added) = (entry.key, Double(entry.value))
          let missing = shares[part] * totals[stratum] - filled[part][stratum]
          let rise = (added - missing) * (added - missing) - missing * missing
          return cost + rise / (shares[part] * totals[stratum] * totals[stratum])
        }
      }
      let part = shares.indices.min { costs[$0] < costs[$1] } ?? 0
      result[group] = part
      for (stratum, added) in contents[group] { filled[part][stratum] += Double(added) }
    }
    return result
  }
}
