/// The parts of a dataset, or the datasets, between which leaks are looked for.
package struct AuditSides: Sendable, Equatable {
  /// Their names: what is learned from first, what is held out after it.
  package let names: [String]
  /// The side of each sample.
  package let sides: [Int]

  /// Sides in code; every one of `sides` is the index of a name.
  package init(names: [String], sides: [Int]) {
    precondition(sides.allSatisfy(names.indices.contains), "AuditSides: a side without a name")
    self.names = names
    self.sides = sides
  }

  /// The parts that the column `split` makes, without samples that are unused; nil where it says
  /// nothing.
  ///
  /// - Returns: the sides and the samples that are in them, as a manifest of their own.
  /// - Throws: `DatasetError` where the column has an unknown word.
  package static func parts(
    of manifest: FaceManifest
  ) throws(DatasetError) -> (manifest: FaceManifest, sides: AuditSides)? {
    guard manifest.hasSplit else { return nil }
    let parts = try manifest.parts()
    let kinds = DatasetPart.allCases.filter { $0 != .unused && parts.contains($0) }
    let used = parts.indices.filter { parts[$0] != .unused }
    let places = Dictionary(uniqueKeysWithValues: kinds.enumerated().map { ($1, $0) })
    return (
      manifest.subset(used),
      AuditSides(names: kinds.map(\.rawValue), sides: used.map { places[parts[$0], default: 0] })
    )
  }

  /// One side a manifest, of those that were joined into one in this order.
  package init(manifests counts: [(name: String, count: Int)]) {
    names = counts.map(\.name)
    sides = counts.enumerated().flatMap { side, entry in
      [Int](repeating: side, count: entry.count)
    }
  }

  /// Samples of a side.
  package func count(_ side: Int) -> Int { sides.count { $0 == side } }

  /// Every two sides, the earlier first.
  package var pairs: [(first: Int, second: Int)] {
    names.indices.flatMap { first in
      names.indices.dropFirst(first + 1).map { (first, $0) }
    }
  }
}
