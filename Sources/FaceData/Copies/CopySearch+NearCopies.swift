import DeepfakeCore
import Foundation

extension CopySearch {
  /// Maximum number of samples in a table that is searched.
  static let sampleLimit = 1 << 30

  /// Copies that are not identical, each with its evidence and its placement.
  ///
  /// Candidate pairs come from perceptual hashes (also of mirror images), from similar keypoints,
  /// and from embeddings if there are any. A candidate is a copy if the grey thumbnails correlate
  /// once they are aligned. So two pictures of one person are no copies, but a picture and a part
  /// of it are.
  package func nearCopyMatches(_ table: FingerprintTable, groups: [Int32]) -> [CopyMatch] {
    check(table, groups)
    precondition(table.count <= Self.sampleLimit, "CopySearch: \(table.count) samples")
    let all = samples(table)
    // Of samples with the same pixels, only one in each group is searched; the others get its
    // links.
    let twins = Twins(sameContent(table, all), groups)
    let samples = all.filter { twins.first[$0] == nil }
    var links = LinkCollection(samples: table.count)
    addByHash(table, samples, groups, &links)
    addByPoints(table, samples, groups, &links)
    addByFeature(table, samples, groups, &links)
    return twins.expanded(links.best(linksPerSample)).map { found in
      CopyMatch(
        link: SampleLink(
          Int(found.first), Int(found.second), .nearCopy, similarity: min(1, found.similarity)),
        evidence: found.evidence, placement: found.placement)
    }
  }

  /// Adds pairs with similar hashes of the whole pictures.
  private func addByHash(
    _ table: FingerprintTable, _ samples: [Int], _ groups: [Int32], _ links: inout LinkCollection
  ) {
    var entries: [CodeTables.Entry] = []
    entries.reserveCapacity(2 * samples.count)
    for sample in samples {
      let (record, number) = (table.records[sample], UInt32(clamping: sample))
      entries.append(.init(code: record.hash, sample: number, slot: 0, isMirrored: false))
      entries.append(.init(code: record.mirroredHash, sample: number, slot: 0, isMirrored: true))
    }
    add(
      "hashes", entries, distance: hashDistance, evidence: .hash, table, groups, &links
    ) { first, second in
      CopyPlacement(isMirrored: first.isMirrored != second.isMirrored)
    }
  }

  /// Adds pairs that have a similar keypoint.
  private func addByPoints(
    _ table: FingerprintTable, _ samples: [Int], _ groups: [Int32], _ links: inout LinkCollection
  ) {
    var entries: [CodeTables.Entry] = []
    entries.reserveCapacity(2 * PicturePoints.count * samples.count)
    for sample in samples {
      for slot in 0..<PicturePoints.count {
        guard let point = table.point(sample, slot) else { break }
        for isMirrored in [false, true] {
          entries.append(
            .init(
              code: isMirrored ? point.code ^ PicturePoints.mirror : point.code,
              sample: UInt32(clamping: sample), slot: UInt8(slot), isMirrored: isMirrored))
        }
      }
    }
    add(
      "points", entries, distance: pointDistance, evidence: .points, table, groups, &links
    ) { first, second in
      guard let one = table.point(Int(first.sample), Int(first.slot)),
        let other = table.point(Int(second.sample), Int(second.slot))
      else { return nil }
      let placement = CopyPlacement(
        one, other, isMirrored: first.isMirrored != second.isMirrored)
      return placement.isPlausible ? placement : nil
    }
  }

  /// Adds pairs with similar codes whose thumbnails correlate near the given placement.
  private func add(
    _ label: String, _ entries: [CodeTables.Entry], distance: Int, evidence: CopyEvidence,
    _ table: FingerprintTable, _ groups: [Int32], _ links: inout LinkCollection,
    placement: @Sendable (CodeTables.Entry, CodeTables.Entry) -> CopyPlacement?
  ) {
    let search = CodeTables(window: window, distance: distance, runLimit: window / 2)
    let limit = UInt16(clamping: 2 * linksPerSample)
    for number in 0..<tables {
      guard !Task.isCancelled else { return }
      var generator = SeededGenerator(seed: seed, label: "\(label) \(number)")
      let known = links
      let found = search.pairs(entries, groups: groups, using: &generator) {
        (first, second, found: inout [LinkCollection.Found]) in
        let (a, b) = (Int(first.sample), Int(second.sample))
        guard known.counts[a] < limit || known.counts[b] < limit,
          !known.contains(first.sample, second.sample),
          table.records[a].pixelDigest != table.records[b].pixelDigest,
          let start = placement(first, second),
          let match = table.alignment({ $0.refined(a, b, from: start, hopeful: 0.7) }),
          match.correlation >= nearCopyCorrelation
        else { return false }
        found.append(
          .init(
            first: first.sample, second: second.sample, similarity: match.correlation,
            evidence: evidence, placement: match.placement))
        return true
      }
      links.add(found.joined())
    }
  }

  /// Adds pairs with similar embeddings whose thumbnails correlate in some placement.
  private func addByFeature(
    _ table: FingerprintTable, _ samples: [Int], _ groups: [Int32], _ links: inout LinkCollection
  ) {
    guard let threshold = table.lookAlikeThreshold, !Task.isCancelled else { return }
    var generator = SeededGenerator(seed: seed, label: "features")
    let pairs = EmbeddingSearch(neighbours: featureNeighbours, least: min(threshold, 0.5)).pairs(
      table, samples, groups: groups, using: &generator)
    let blockLength = 1024
    let found = Parallel.map(pairs.count.dividedRoundingUp(by: blockLength)) { block in
      pairs[block * blockLength..<min(pairs.count, (block + 1) * blockLength)].compactMap {
        pair -> LinkCollection.Found? in
        let (a, b) = (Int(pair.first), Int(pair.second))
        guard !Task.isCancelled, table.records[a].pixelDigest != table.records[b].pixelDigest,
          let match = table.alignment({ $0.searched(a, b, hopeful: 0.7) }),
          match.correlation >= nearCopyCorrelation
        else { return nil }
        return .init(
          first: pair.first, second: pair.second, similarity: match.correlation,
          evidence: .feature, placement: match.placement)
      }
    }
    links.add(found.joined())
  }
}

extension FingerprintTable {
  /// Calls `body` with an aligner of the table's thumbnails. Nil for an empty table or if `body`
  /// returns nil.
  func alignment<R>(_ body: (ThumbnailAlignment) -> R?) -> R? {
    thumbnails.withUnsafeBufferPointer { thumbnails in
      thumbnails.baseAddress.flatMap { body(ThumbnailAlignment(thumbnails: $0)) }
    }
  }
}

/// Samples of one group with the same pixels. The first of them represents the others in a search.
private struct Twins {
  /// For each represented sample, the one that represents it.
  private(set) var first: [Int: Int] = [:]

  init(_ same: [[Int]], _ groups: [Int32]) {
    for samples in same {
      var firsts: [Int32: Int] = [:]
      for sample in samples {
        if let known = firsts[groups[sample]] {
          first[sample] = known
        } else {
          firsts[groups[sample]] = sample
        }
      }
    }
  }

  /// The links, and for each represented sample the best link of its representative.
  func expanded(_ links: [LinkCollection.Found]) -> [LinkCollection.Found] {
    guard !first.isEmpty else { return links }
    var best: [UInt32: LinkCollection.Found] = [:]
    for link in links {
      for sample in [link.first, link.second]
      where link.similarity > best[sample]?.similarity ?? -1 {
        best[sample] = link
      }
    }
    var result = links
    for (sample, standIn) in first.sorted(by: { $0.key < $1.key }) {
      guard var link = best[UInt32(clamping: standIn)] else { continue }
      let number = UInt32(clamping: sample)
      let other = link.first == UInt32(clamping: standIn) ? link.second : link.first
      // The order of the pair may change here. The placement is not inverted then.
      (link.first, link.second) = (min(number, other), max(number, other))
      result.append(link)
    }
    return result
  }
}
