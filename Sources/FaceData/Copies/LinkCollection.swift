/// A set of links between pairs of samples. Each pair is kept once.
struct LinkCollection: Sendable {
  /// A pair of samples, its similarity and how it was found.
  struct Found: Sendable {
    var first: UInt32
    var second: UInt32
    var similarity: Float
    var evidence: CopyEvidence
    var placement: CopyPlacement

    /// Identifies the pair; links are sorted by it.
    var key: UInt64 { Self.key(first, second) }

    static func key(_ first: UInt32, _ second: UInt32) -> UInt64 {
      UInt64(first) << 32 | UInt64(second)
    }
  }

  private var links: [Found] = []
  /// The number of links of each sample.
  private(set) var counts: [UInt16]

  init(samples: Int) {
    counts = Array(repeating: 0, count: samples)
  }

  /// Adds pairs. If a pair is already there, the more similar of the two links is kept, or on a tie
  /// the old one.
  mutating func add(_ found: some Sequence<Found>) {
    var new = Array(found)
    guard !new.isEmpty else { return }
    // Of equal keys the most similar comes first. Ties keep the order of `found`, which does not
    // depend on the number of threads.
    let order = new.indices.sorted { a, b in
      let (x, y) = (new[a], new[b])
      if x.key != y.key { return x.key < y.key }
      return x.similarity != y.similarity ? x.similarity > y.similarity : a < b
    }
    new = order.map { new[$0] }
    var merged: [Found] = []
    merged.reserveCapacity(links.count + new.count)
    var (old, next) = (0, 0)
    while old < links.count || next < new.count {
      let takesOld =
        next == new.count || old < links.count && links[old].key <= new[next].key
      let link = takesOld ? links[old] : new[next]
      if takesOld { old += 1 } else { next += 1 }
      guard let last = merged.last, last.key == link.key else {
        merged.append(link)
        continue
      }
      if link.similarity > last.similarity { merged[merged.count - 1] = link }
    }
    links = merged
    counts = Array(repeating: 0, count: counts.count)
    for link in links {
      for sample in [Int(link.first), Int(link.second)] where counts[sample] < .max {
        counts[sample] += 1
      }
    }
  }

  /// Whether a pair is in the collection. `first` must be the lower index.
  func contains(_ first: UInt32, _ second: UInt32) -> Bool {
    let key = Found.key(first, second)
    var (low, high) = (0, links.count)
    while low < high {
      let middle = (low + high) / 2
      if links[middle].key < key { low = middle + 1 } else { high = middle }
    }
    return low < links.count && links[low].key == key
  }

  /// The links that are among the `limit` most similar of at least one of their samples, in the
  /// order of the samples.
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
