/// The parts of a dataset, or several datasets, between which an audit searches for leaks.
package struct AuditSides: Sendable, Equatable {
  /// Names of the sides: training data first, held-out data after it.
  package let names: [String]
  /// The side of each sample, an index of `names`.
  package let sides: [Int]

  /// Sides made in code. Every element of `sides` must be an index of `names`.
  package init(names: [String], sides: [Int]) {
    precondition(sides.allSatisfy(names.indices.contains), "AuditSides: a side without a name")
    self.names = names
    self.sides = sides
  }

  /// One side for each part in the column `split`, without the unused samples. Nil if no sample has
  /// a value in that column.
  ///
  /// - Returns: The sides, and a manifest of the samples that are in them.
  /// - Throws: `DatasetError` if a sample has no known part name in the column.
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

  /// One side for each manifest, for manifests that were joined into one in this order.
  package init(manifests counts: [(name: String, count: Int)]) {
    names = counts.map(\.name)
    sides = counts.enumerated().flatMap { side, entry in
      [Int](repeating: side, count: entry.count)
    }
  }

  /// Number of samples on a side.
  package func count(_ side: Int) -> Int { sides.count { $0 == side } }

  /// All pairs of sides, the lower index first.
  package var pairs: [(first: Int, second: Int)] {
    names.indices.flatMap { first in
      names.indices.dropFirst(first + 1).map { (first, $0) }
    }
  }
}
