import DeepfakeCore

/// Divides whole groups of samples into parts of given sizes, so that each part has its share of
/// every stratum (a label, or a label of one collection).
///
/// Groups are drawn from the largest to the smallest; groups of equal size in a random order. Each
/// group goes to the part where it brings the sizes nearest to the given ones.
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

  /// Draws the part of each group, from 0.
  ///
  /// - Parameters:
  ///   - groups: Each sample's group, 0 to `count` - 1.
  ///   - strata: Each sample's stratum, from 0.
  func parts(groups: [Int], count: Int, strata: [Int]) -> [Int] {
    let strataCount = (strata.max() ?? 0) + 1
    var totals = [Double](repeating: 0, count: strataCount)
    // Most groups have samples of few strata, so a dictionary is smaller than an array.
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
      // The increase of the squared difference from the wanted size, relative to that size.
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
