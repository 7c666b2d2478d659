import DeepfakeCore

/// Finds by their pictures which samples of a dataset belong together.
package struct LinkSearch: Sendable {
  /// How copies and look-alikes are looked for.
  package var copies = CopySearch()
  /// How far apart two files of one folder, of which nothing is known, may stand to be neighbours.
  package var neighbourDistance = 4
  /// Bits of 64 in which the perceptual hashes of neighbours may differ.
  package var neighbourBits = 18
  /// Whether people who look alike are joined.
  package var joinsLookAlikes = true

  package init() {}

  /// All that holds samples together beside what the manifest says.
  package func links(_ manifest: FaceManifest, _ table: FingerprintTable) -> [SampleLink] {
    precondition(manifest.count == table.count, "LinkSearch: the table is of other samples")
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

  /// Neighbouring files that look alike, as pictures or as faces: frames of one video, most likely.
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

  /// Samples in different groups that look alike, and whose units do as a whole: of a video, one
  /// crop that by chance looks like a stranger's says little.
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

  /// Samples that are one video's or one picture's for sure, with the mean of their embeddings.
  struct Units {
    /// The unit of each sample.
    let groups: [Int32]
    private let dimension: Int
    /// Of each unit, of length 1.
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
