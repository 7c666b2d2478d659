/// Links of pairs of samples, each pair once, few of each sample.
struct LinkCollection: Sendable {
  /// A pair and what is known of it.
  struct Found: Sendable {
    var first: UInt32
    var second: UInt32
    var similarity: Float
    var evidence: CopyEvidence
    var placement: CopyPlacement
  }

  private var links: [Found] = []
  /// The number of links of each sample.
  private(set) var counts: [UInt16]
  /// The keys of all pairs.
  private(set) var pairs: Set<UInt64> = []

  /// What stands for a pair.
  static func key(_ first: UInt32, _ second: UInt32) -> UInt64 {
    UInt64(first) << 32 | UInt64(second)
  }

  init(samples: Int) {
    counts = Array(repeating: 0, count: samples)
  }

  /// Adds pairs; of one that is there already the more alike stays, and of equals the one that was there.
  mutating func add(_ found: some Sequence<Found>) {
    let sorted = (links + Array(found)).enumerated().sorted { a, b in
      let (x, y) = (a.element, b.element)
      if (x.first, x.second) != (y.first, y.second) {
        return (x.first, x.second) < (y.first, y.second)
      }
      return x.similarity != y.similarity ? x.similarity > y.similarity : a.offset < b.offset
    }
    links = []
    counts = Array(repeating: 0, count: counts.count)
    for (_, link) in sorted {
      if let last = links.last, last.first == link.first, last.second == link.second { continue }
      links.append(link)
      pairs.insert(Self.key(link.first, link.second))
      for sample in [Int(link.first), Int(link.second)] where counts[sample] < .max {
        counts[sample] += 1
      }
    }
  }

  /// The links that are among the `limit` most alike of either sample, in the samples' order.
  func best(_ limit: Int) -> [Found] {
    let order = links.indices.sorted {
      links[$0].similarity != links[$1].similarity
        ? links[$0].similarity > links[$1].similarity : $0 < $1
    }
    var kept = [Bool](repeating: false, count: links.count)
    var counts = [Int](repeating: 0, count: self.counts.count)
    for index in order {
      let (first, second) = (Int(links[index].first), Int(links[index].second))
      kept[index] = counts[first] < limit || counts[second] < limit
      counts[first] += 1
      counts[second] += 1
    }
    return links.indices.filter { kept[$0] }.map { links[$0] }
  }
}
