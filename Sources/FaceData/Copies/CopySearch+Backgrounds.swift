import DeepfakeCore
import Foundation

extension CopySearch {
  /// Minimum detail of a ring for a comparison of places. Plain walls and black borders have less.
  static let ringDetail: Float = 18

  /// Pairs of pictures with similar surroundings: probably one place, seen in the same way. The
  /// face itself is not compared. Pictures with too little detail around the face are left out.
  package func backgrounds(_ table: FingerprintTable, groups: [Int32]) -> [SampleLink] {
    check(table, groups)
    let samples = samples(table).filter { table.records[$0].ringDetail >= Self.ringDetail }
    let planes = Self.planes(seed: seed)
    let entries = Parallel.map(samples.count) { place in
      CodeTables.Entry(
        code: Self.code(table.ring(samples[place]), planes),
        sample: UInt32(clamping: samples[place]), slot: 0, isMirrored: false)
    }
    let search = CodeTables(window: window, distance: hashDistance, runLimit: window / 2)
    var links = LinkCollection(samples: table.count)
    for number in 0..<tables {
      guard !Task.isCancelled else { break }
      var generator = SeededGenerator(seed: seed, label: "rings \(number)")
      let found = search.pairs(entries, groups: groups, using: &generator) {
        (first, second, found: inout [LinkCollection.Found]) in
        let similarity = table.ringSimilarity(Int(first.sample), Int(second.sample))
        guard similarity >= backgroundSimilarity else { return false }
        found.append(
          .init(
            first: first.sample, second: second.sample, similarity: similarity, evidence: .hash,
            placement: CopyPlacement()))
        return true
      }
      links.add(found.joined())
    }
    return links.best(linksPerSample).map {
      SampleLink(Int($0.first), Int($0.second), .background, similarity: $0.similarity)
    }
  }

  /// Normal vectors of 64 random planes through the space of rings.
  private static func planes(seed: UInt64) -> [[Float]] {
    var generator = SeededGenerator(seed: seed, label: "planes")
    return (0..<64).map { _ in (0..<BackgroundRing.count).map { _ in generator.normal() } }
  }

  /// One bit for each plane: the side on which a ring, without its mean colour, lies.
  private static func code(_ ring: [Float], _ planes: [[Float]]) -> UInt64 {
    planes.reduce(0) { code, plane in
      var sum: Float = 0
      for place in ring.indices { sum += plane[place] * ring[place] }
      return code << 1 | (sum > 0 ? 1 : 0)
    }
  }
}

extension FingerprintTable {
  /// A sample's ring, with each channel's mean subtracted.
  func ring(_ index: Int) -> [Float] {
    let start = index * BackgroundRing.count
    var values = rings[start..<start + BackgroundRing.count].map { Float($0) }
    for channel in 0..<3 {
      var mean: Float = 0
      for place in stride(from: channel, to: values.count, by: 3) { mean += values[place] }
      mean /= Float(BackgroundRing.places.count)
      for place in stride(from: channel, to: values.count, by: 3) { values[place] -= mean }
    }
    return values
  }

  /// Correlation of two rings, which ignores overall brightness, contrast and tint. -1 if one is of
  /// one colour.
  func ringSimilarity(_ first: Int, _ second: Int) -> Float {
    let (a, b) = (ring(first), ring(second))
    var (products, one, other): (Float, Float, Float) = (0, 0, 0)
    for place in a.indices {
      products += a[place] * b[place]
      one += a[place] * a[place]
      other += b[place] * b[place]
    }
    return one > 0 && other > 0 ? min(1, products / (one * other).squareRoot()) : -1
  }
}
