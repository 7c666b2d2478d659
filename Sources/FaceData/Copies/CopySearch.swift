import DeepfakeCore
import Foundation

/// Finds pictures that belong together in a table of fingerprints: the same, copies, alike faces,
/// alike backgrounds.
///
/// Only pairs of different groups are wanted: a sample's group is a number, its video's for a
/// split, its side's for an audit. Work and memory grow nearly with the number of samples, and so
/// do the links: of each kind there are at most `linksPerSample` for every sample in all. Results
/// depend on the options alone, not on the number of threads. In a cancelled task the search ends
/// early with what it has.
package struct CopySearch: Sendable {
  /// Links that are kept of each sample: the most alike.
  package var linksPerSample = 8
  /// Orders in which hashes are looked at; more find more.
  package var tables = 12
  /// Neighbours in an order that are compared.
  package var window = 16
  /// Bits in which two hashes may differ for the thumbnails to be compared.
  package var hashDistance = 12
  /// Bits in which the codes of two points may differ for the thumbnails to be compared.
  package var pointDistance = 7
  /// Embeddings nearest to each that are compared by their thumbnails.
  package var featureNeighbours = 4
  /// The correlation of the thumbnails' detail from which two pictures are copies.
  package var nearCopyCorrelation: Float = 0.92
  /// The dot product of embeddings from which faces are alike; nil is what the embedder states.
  package var lookAlikeSimilarity: Float?
  /// The similarity from which backgrounds are alike.
  package var backgroundSimilarity: Float = 0.94
  /// What random choices depend on.
  package var seed: UInt64 = 1

  /// A search with the usual options.
  package init() {}

  /// Pictures with the same pixels, whose files are mostly the same too. All pictures of one
  /// content are joined: each to the one of another group before it, or else after it. Pictures of
  /// one colour are left out.
  ///
  /// - Parameter groups: A number for each sample of the table.
  package func identicalFiles(_ table: FingerprintTable, groups: [Int32]) -> [SampleLink] {
    check(table, groups)
    return sameContent(table, samples(table)).flatMap { same -> [SampleLink] in
      // The last sample of each run of one group is what the next run is joined to.
      var links: [SampleLink] = []
      var other: Int?
      for (place, sample) in same.enumerated() {
        if place > 0, groups[same[place - 1]] != groups[sample] { other = same[place - 1] }
        if let other {
          links.append(SampleLink(other, sample, .identicalFile))
        } else if let next = same[place...].first(where: { groups[$0] != groups[sample] }) {
          links.append(SampleLink(sample, next, .identicalFile))
        } else {
          break
        }
      }
      return Self.unique(links)
    }.sorted { ($0.first, $0.second) < ($1.first, $1.second) }
  }

  /// Copies that are not identical: recompressed, scaled, mirrored, shifted, cut anew, brightened;
  /// see `nearCopyMatches`.
  package func nearCopies(_ table: FingerprintTable, groups: [Int32]) -> [SampleLink] {
    nearCopyMatches(table, groups: groups).map(\.link)
  }

  /// Pairs of faces that look like one person's. Empty for a table without embeddings.
  package func lookAlikes(_ table: FingerprintTable, groups: [Int32]) -> [SampleLink] {
    check(table, groups)
    guard let least = lookAlikeSimilarity ?? table.lookAlikeThreshold else { return [] }
    var generator = SeededGenerator(seed: seed, label: "look-alikes")
    let pairs = EmbeddingSearch(neighbours: linksPerSample, least: least).pairs(
      table, samples(table), groups: groups, using: &generator)
    return pairs.map {
      SampleLink(Int($0.first), Int($0.second), .lookAlike, similarity: $0.similarity)
    }
  }

  /// Samples whose pictures show something: measured, and not of one colour.
  func samples(_ table: FingerprintTable) -> [Int] {
    table.records.indices.filter { table.isKnown[$0] && !table.isFlat($0) }
  }

  func check(_ table: FingerprintTable, _ groups: [Int32]) {
    precondition(
      groups.count == table.count,
      "CopySearch: \(groups.count) groups for a table of \(table.count)")
  }

  /// Lists of two samples or more with the same pixels, in order.
  func sameContent(_ table: FingerprintTable, _ samples: [Int]) -> [[Int]] {
    let sorted = samples.sorted {
      let (a, b) = (table.records[$0].pixelDigest, table.records[$1].pixelDigest)
      return a != b ? a < b : $0 < $1
    }
    var lists: [[Int]] = []
    var start = 0
    while start < sorted.count {
      let digest = table.records[sorted[start]].pixelDigest
      var end = start + 1
      while end < sorted.count, table.records[sorted[end]].pixelDigest == digest { end += 1 }
      if end > start + 1 { lists.append(Array(sorted[start..<end])) }
      start = end
    }
    return lists
  }

  private static func unique(_ links: [SampleLink]) -> [SampleLink] {
    var seen: Set<[Int]> = []
    return links.filter { seen.insert([$0.first, $0.second]).inserted }
  }
}

extension FingerprintTable {
  /// Whether a picture is of one colour, nearly: nothing can be told from it.
  package func isFlat(_ index: Int) -> Bool {
    let deviation = facts(index).deviation
    return max(deviation.x, deviation.y, deviation.z) < 3
  }
}

/// What led to a pair of copies.
package enum CopyEvidence: String, Sendable, CaseIterable {
  /// Their perceptual hashes are near each other.
  case hash
  /// Parts of them look the same.
  case points
  /// Their embeddings, a learned feature, are near each other.
  case feature
}

/// Two pictures one of which is a copy of the other, and how that is known.
package struct CopyMatch: Sendable, Equatable {
  /// The link; its similarity is the correlation of the thumbnails' detail, laid over each other.
  package var link: SampleLink
  /// What the pair was found by; the thumbnails confirm it.
  package var evidence: CopyEvidence
  /// Where the second picture lies in the first.
  package var placement: CopyPlacement
}
