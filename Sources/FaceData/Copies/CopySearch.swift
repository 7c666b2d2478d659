import DeepfakeCore
import Foundation

/// Finds pictures that belong together in a table of fingerprints: identical ones, copies, similar
/// faces and similar backgrounds.
///
/// Only pairs of different groups are found. A sample's group is a number: its video's for a split,
/// its side's for an audit. Time and memory grow almost linearly with the number of samples. Each
/// kind has at most `linksPerSample` links for every sample in all. Results depend on the options
/// alone, not on the number of threads. In a cancelled task the search ends early and returns what
/// it has found.
package struct CopySearch: Sendable {
  /// Number of links kept for each sample, the most similar ones.
  package var linksPerSample = 8
  /// Number of random orders in which hashes are sorted. More orders find more pairs.
  package var tables = 12
  /// Number of neighbours in an order that each hash is compared with.
  package var window = 16
  /// Maximum Hamming distance of two hashes, in bits, for the thumbnails to be compared.
  package var hashDistance = 12
  /// Maximum Hamming distance of two keypoints' codes, in bits, for the thumbnails to be compared.
  package var pointDistance = 7
  /// Number of nearest embeddings of each sample whose thumbnails are compared.
  package var featureNeighbours = 4
  /// The correlation of the thumbnails' detail from which two pictures count as copies.
  package var nearCopyCorrelation: Float = 0.92
  /// The dot product of embeddings from which faces count as alike; nil: the embedder's threshold.
  package var lookAlikeSimilarity: Float?
  /// The correlation from which backgrounds count as alike.
  package var backgroundSimilarity: Float = 0.94
  /// Random seed; the same seed finds the same links.
  package var seed: UInt64 = 1

  /// A search with the default options.
  package init() {}

  /// Pictures with the same pixels; mostly their files are the same too. All pictures with the same
  /// content are linked: each with the last one of another group before it, or if there is none,
  /// with the first after it. Pictures of one colour are left out.
  ///
  /// - Parameter groups: The group of each sample of the table.
  package func identicalFiles(_ table: FingerprintTable, groups: [Int32]) -> [SampleLink] {
    check(table, groups)
    return sameContent(table, samples(table)).flatMap { same -> [SampleLink] in
      // The last sample of each run of one group is linked with all samples of the next run.
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

  /// Copies that are not identical: recompressed, scaled, mirrored, shifted, cropped anew or
  /// brightened. See `nearCopyMatches`.
  package func nearCopies(_ table: FingerprintTable, groups: [Int32]) -> [SampleLink] {
    nearCopyMatches(table, groups: groups).map(\.link)
  }

  /// Pairs of faces that look like the same person. Empty for a table without embeddings.
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

  /// Samples that can be searched: measured, and not of one colour.
  func samples(_ table: FingerprintTable) -> [Int] {
    table.records.indices.filter { table.isKnown[$0] && !table.isFlat($0) }
  }

  func check(_ table: FingerprintTable, _ groups: [Int32]) {
    precondition(
      groups.count == table.count,
      "CopySearch: \(groups.count) groups for a table of \(table.count)")
  }

  /// Lists of at least two samples with the same pixels, in the order of the samples.
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
  /// Whether a picture is nearly of one colour: each channel's standard deviation is below 3. Such
  /// a picture cannot be compared.
  package func isFlat(_ index: Int) -> Bool {
    let deviation = facts(index).deviation
    return max(deviation.x, deviation.y, deviation.z) < 3
  }
}

/// The feature by which a pair of copies was found.
package enum CopyEvidence: String, Sendable, CaseIterable {
  /// Their perceptual hashes are similar.
  case hash
  /// Keypoints of them are similar.
  case points
  /// Their embeddings are similar.
  case feature
}

/// Two pictures of which one is a copy of the other, with the evidence.
package struct CopyMatch: Sendable, Equatable {
  /// The link; its similarity is the correlation of the aligned thumbnails' detail.
  package var link: SampleLink
  /// The feature that found the pair; the thumbnails confirmed it.
  package var evidence: CopyEvidence
  /// The position of the second picture in the first.
  package var placement: CopyPlacement
}
