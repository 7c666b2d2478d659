import DeepfakeCore
import Foundation

extension CopySearch {
  /// The least detail of a ring that says anything of a place: plain walls and black borders have
  /// less.
  static let ringDetail: Float = 18

  /// Pairs of pictures whose surroundings look like one place, seen in the same way. Faces count
  /// for nothing. Pictures with too little to see around the face are left out.
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

  /// Random planes through the space of rings, 64.
  private static func planes(seed: UInt64) -> [[Float]] {
    var generator = SeededGenerator(seed: seed, label: "planes")
    return (0..<64).map { _ in (0..<BackgroundRing.count).map { _ in generator.normal() } }
  }

  /// On which side of each plane a ring, less its mean colour, lies.
  private static func code(_ ring: [Float], _ planes: [[Float]]) -> UInt64 {
    planes.reduce(0) { code, plane in
      var sum: Float = 0
      for place in ring.indices { sum += plane[place] * ring[place] }
      return code << 1 | (sum > 0 ? 1 : 0)
    }
  }
}

extension FingerprintTable {
  /// A sample's ring, each channel less its mean.
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

  /// The correlation of two rings: brightness, contrast and tint of the whole count for nothing.
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
