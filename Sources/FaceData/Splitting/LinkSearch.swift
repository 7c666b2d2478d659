import DeepfakeCore

/// Finds samples of a dataset that belong together by comparing their pictures.
package struct LinkSearch: Sendable {
  /// Options of the search for copies and look-alikes.
  package var copies = CopySearch()
  /// Maximum distance, in files, of two neighbours in one folder whose video is unknown.
  package var neighbourDistance = 4
  /// Maximum Hamming distance of neighbours' perceptual hashes, of 64 bits.
  package var neighbourBits = 18
  /// Whether faces that look like one person are linked.
  package var joinsLookAlikes = true

  package init() {}

  /// All links that the pictures add to those of the manifest.
  package func links(_ manifest: FaceManifest, _ table: FingerprintTable) -> [SampleLink] {
    precondition(manifest.count == table.count, "LinkSearch: the table is not the manifest's")
    let known = SampleGroups(manifest.table, blockLength: nil).join().groups.map(Int32.init)
    var links = copies.identicalFiles(table, groups: known)
    links += copies.nearCopies(table, groups: known)
    links += neighbours(manifest, table)
    if joinsLookAlikes, table.dimension > 0 {
      let units = Units(manifest, table, links)
      links += lookAlikes(units, table, groups: units.groups)
    }
    return links
  }

  /// Neighbouring files with similar pictures or similar faces: most likely frames of one video.
  package func neighbours(_ manifest: FaceManifest, _ table: FingerprintTable) -> [SampleLink] {
    let needed = copies.lookAlikeSimilarity ?? table.lookAlikeThreshold ?? .infinity
    return SampleGroups(manifest.table, blockLength: nil)
      .neighbours(within: neighbourDistance)
      .compactMap { first, second in
        guard table.isReadable(first), table.isReadable(second) else { return nil }
        let bits = (table.records[first].hash ^ table.records[second].hash).nonzeroBitCount
        let likeness = table.embeddingSimilarity(first, second)
        guard bits <= neighbourBits || likeness >= needed else { return nil }
        return SampleLink(
          first, second, .neighbours, similarity: max(likeness, 1 - Float(bits) / 64))
      }
  }

  /// Samples of different groups whose faces look alike, and whose units look alike as a whole. One
  /// crop of a video that happens to resemble a stranger is weak evidence.
  func lookAlikes(
    _ units: Units, _ table: FingerprintTable, groups: [Int32]
  ) -> [SampleLink] {
    guard let threshold = copies.lookAlikeSimilarity ?? table.lookAlikeThreshold else { return [] }
    return copies.lookAlikes(table, groups: groups).compactMap { link in
      let similarity = units.similarity(link.first, link.second)
      guard similarity >= threshold else { return nil }
      var link = link
      link.similarity = min(link.similarity, similarity)
      return link
    }
  }

  /// Samples that surely show one video, person or picture, with the mean of their embeddings.
  struct Units {
    /// The unit of each sample.
    let groups: [Int32]
    private let dimension: Int
    /// The mean embedding of each unit, scaled to length 1.
    private var means: [Float]

    init(_ manifest: FaceManifest, _ table: FingerprintTable, _ links: [SampleLink]) {
      let joined = SampleGroups(manifest.table, blockLength: nil).join(links)
      groups = joined.groups.map(Int32.init)
      dimension = table.dimension
      means = [Float](repeating: 0, count: joined.count * dimension)
      for (index, unit) in joined.groups.enumerated() where table.isReadable(index) {
        for place in 0..<dimension {
          means[unit * dimension + place] += Float(table.embeddings[index * dimension + place])
        }
      }
      for unit in 0..<joined.count {
        let range = unit * dimension..<(unit + 1) * dimension
        let length = means[range].reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard length > 0 else { continue }
        for place in range { means[place] /= length }
      }
    }

    /// The dot product of the means of two samples' units.
    func similarity(_ first: Int, _ second: Int) -> Float {
      let (a, b) = (Int(groups[first]) * dimension, Int(groups[second]) * dimension)
      return (0..<dimension).reduce(0) { $0 + means[a + $1] * means[b + $1] }
    }
  }
}
