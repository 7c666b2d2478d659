import DeepfakeCore
import Foundation

extension CopySearch {
  /// The least detail of a ring that says anything of a place: plain walls and black borders have less.
  static let ringDetail: Float = 18

  /// Pairs of pictures whose surroundings look like one place, seen in the same way. Faces count for nothing. Pictures
  /// with too little to see around the face are left out.
  public func backgrounds(_ table: FingerprintTable, groups: [Int32]) -> [SampleLink] {
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
        guard similarity >= backgroundSimilarity else { return }
        found.append(
          .init(
            first: first.sample, second: second.sample, similarity: similarity, evidence: .hash,
            placement: CopyPlacement()))
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
  private static func code(_ ring: ArraySlice<UInt8>, _ planes: [[Float]]) -> UInt64 {
    var values = ring.map { Float($0) }
    for channel in 0..<3 {
      let places = stride(from: channel, to: values.count, by: 3)
      let mean = places.reduce(0) { $0 + values[$1] } / Float(BackgroundRing.places.count)
      for place in places { values[place] -= mean }
    }
    return planes.reduce(0) { code, plane in
      code << 1 | (zip(plane, values).reduce(0) { $0 + $1.0 * $1.1 } > 0 ? 1 : 0)
    }
  }
}

extension FingerprintTable {
  func ring(_ index: Int) -> ArraySlice<UInt8> {
    rings[index * BackgroundRing.count..<(index + 1) * BackgroundRing.count]
  }

  /// How alike two rings are: 1 less the share of their own variation that the difference has. Brightness may differ
  /// by a factor.
  func ringSimilarity(_ first: Int, _ second: Int) -> Float {
    let (a, b) = (ring(first), ring(second))
    var (difference, own): (Float, Float) = (0, 0)
    for (x, y) in zip(a, b) {
      let step = Float(x) - Float(y)
      difference += step * step
    }
    let count = Float(BackgroundRing.places.count)
    for detail in [records[first].ringDetail, records[second].ringDetail] {
      own += detail * detail * count
    }
    return own > 0 ? max(-1, 1 - difference / own) : -1
  }
}
