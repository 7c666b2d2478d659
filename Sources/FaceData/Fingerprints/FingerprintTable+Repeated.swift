import DeepfakeCore

extension FingerprintTable {
  /// A table with `times` as many pictures, for measuring searches in large tables. It contains
  /// this table's pictures repeatedly, each time changed so that pictures are as similar within a
  /// repeat as they are here, and unlike those of other repeats.
  package func repeated(_ times: Int, seed: UInt64) -> FingerprintTable {
    precondition(times > 0 && unreadable.isEmpty, "repeated: \(times) times")
    var table = self
    table.reserve(count * times)
    for number in 1..<max(1, times) {
      var generator = SeededGenerator(seed: seed, label: "repeat \(number)")
      let mask = generator.next()
      for record in records {
        var record = record
        record.fileDigest.0 ^= mask
        record.pixelDigest ^= mask
        record.hash ^= mask
        record.mirroredHash ^= mask
        table.records.append(record)
      }
      table.isKnown += isKnown
      table.thumbnails += thumbnails
      table.pointCodes += pointCodes.map { $0 ^ mask }
      table.pointPlaces += pointPlaces
      let order = (0..<BackgroundRing.places.count).shuffled(using: &generator)
      for index in 0..<count {
        let ring = Array(rings[index * BackgroundRing.count..<(index + 1) * BackgroundRing.count])
        for cell in order { table.rings += ring[3 * cell..<3 * cell + 3] }
      }
      let signs = (0..<dimension).map { _ in Int8(generator.next() & 1 == 0 ? 1 : -1) }
      for index in 0..<count {
        for place in 0..<dimension {
          table.embeddings.append(embeddings[index * dimension + place] * signs[place])
        }
      }
    }
    return table
  }

  private mutating func reserve(_ count: Int) {
    records.reserveCapacity(count)
    isKnown.reserveCapacity(count)
    thumbnails.reserveCapacity(count * Fingerprint.thumbnailCount)
    pointCodes.reserveCapacity(count * PicturePoints.count)
    pointPlaces.reserveCapacity(count * 3 * PicturePoints.count)
    rings.reserveCapacity(count * BackgroundRing.count)
    embeddings.reserveCapacity(count * dimension)
  }
}
