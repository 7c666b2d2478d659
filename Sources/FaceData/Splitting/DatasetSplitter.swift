import Measures

/// Puts a dataset's samples into parts so that what belongs together is never in two of them.
///
/// What belongs together are samples of one person or video, fakes and the videos that they were
/// made from, and whatever `links` say: copies, neighbouring frames, faces that look alike. The
/// connected parts of all that are the groups; whole groups are drawn, so that each part has its
/// share of the real and the fake samples of every collection (column origin).
package struct DatasetSplitter: Sendable, Equatable {
  /// The part of the samples to validate with, 0 to below 1; passed over where there are folds.
  package var validation = 0.2
  /// The part to test with in the end.
  package var test = 0.0
  /// Parts of one size that are each held out once; nil for none.
  package var folds: Int?
  /// What draws.
  package var seed: UInt64 = 0
  /// Whether videos of one folder belong together, as those of a DFDC part do.
  package var joinsFolders = false
  /// Whether every sample is drawn by itself, which leaks: to compare with.
  package var isRandom = false

  /// A fifth is for validation.
  package init() {}

  /// The samples' parts.
  ///
  /// Samples of which the manifest says nothing are drawn in blocks of neighbours, as `HoldOut`
  /// does it, and some at borders are `unused`; a group that reaches into several blocks goes with
  /// most of its samples.
  ///
  /// - Parameter links: what the pictures say; nil where nobody looked.
  /// - Throws: `DatasetError.impossible` where a part would be empty or nearly all samples hang
  ///   together.
  package func split(
    _ manifest: FaceManifest, links: [SampleLink]?
  ) throws(DatasetError) -> DatasetPartition {
    var manifest = manifest
    for index in manifest.table.rows.indices {
      manifest.table.rows[index].split = SampleTable.Row.none
      manifest.table.rows[index].fold = SampleTable.Row.none
      manifest.table.rows[index].group = SampleTable.Row.none
    }
    let blocks = SampleGroups(manifest.table, blockLength: HoldOut().block)
    let (joined, drawn) = isRandom ? alone(manifest) : grouped(manifest, blocks, links)
    var partition = self.partition(manifest, blocks, joined, drawn, .labelAndOrigin, links)
    for strata in Strata.allCases.dropFirst() where shortage(partition) != nil {
      // A few groups cannot give every part its share of everything.
      partition = self.partition(manifest, blocks, joined, drawn, strata, links)
    }
    if let shortage = shortage(partition) { throw Self.impossible(shortage, partition) }
    return partition
  }

  /// What every part has its share of.
  package enum Strata: Sendable, CaseIterable {
    /// Each label of each collection.
    case labelAndOrigin
    /// Each label.
    case label
    /// All samples.
    case none
  }

  private func partition(
    _ manifest: FaceManifest, _ blocks: SampleGroups, _ joined: SampleGroups.Joined,
    _ drawn: SampleGroups.Joined, _ strata: Strata, _ links: [SampleLink]?
  ) -> DatasetPartition {
    let numbers = GroupDraw(shares: shares, seed: seed).parts(
      groups: drawn.groups, count: drawn.count, strata: manifest.strata(strata))
    let places = drawn.groups.map { numbers[$0] }
    var parts = places.map(part)
    if folds == nil, !isRandom {
      for other in shares.indices.dropFirst() {
        let isInOther = blocks.blocksMostly(places.map { $0 == other })
        for index in blocks.border(isInOther, margin: HoldOut().margin) where places[index] == 0 {
          parts[index] = .unused
        }
      }
    }
    return DatasetPartition(
      manifest: manifest, parts: parts,
      folds: folds.map { folds in places.map { $0 < folds ? $0 + 1 : nil } }, groups: joined,
      strata: strata, rule: isRandom ? nil : blocks.rule, sawPictures: links != nil && !isRandom)
  }

  /// The groups, and the larger ones that are drawn: what is known of nothing but neighbours is
  /// drawn in blocks of neighbours, too, since one person's other scenes are mostly near.
  private func grouped(
    _ manifest: FaceManifest, _ blocks: SampleGroups, _ links: [SampleLink]?
  ) -> (joined: SampleGroups.Joined, drawn: SampleGroups.Joined) {
    guard let links else {
      let joined = blocks.join(joinsFolders: joinsFolders)
      return (joined, joined)
    }
    let joined = SampleGroups(manifest.table, blockLength: nil)
      .join(Self.strongestFirst(links), joinsFolders: joinsFolders)
    return (joined, blocks.gathered(joined))
  }

  /// Every sample by itself.
  private func alone(
    _ manifest: FaceManifest
  ) -> (joined: SampleGroups.Joined, drawn: SampleGroups.Joined) {
    let joined = SampleGroups.Joined(groups: Array(0..<manifest.count), count: manifest.count)
    return (joined, joined)
  }

  /// Training (or the folds), then validation, then test, as far as there are such.
  private var shares: [Double] {
    if let folds {
      return [Double](repeating: (1 - test) / Double(folds), count: folds)
        + (test > 0 ? [test] : [])
    }
    return [1 - validation - test] + [validation, test].filter { $0 > 0 }
  }

  private func part(_ drawn: Int) -> DatasetPart {
    if let folds { return drawn == 0 ? .validation : drawn < folds ? .training : .test }
    if drawn == 0 { return .training }
    return drawn == 1 && validation > 0 ? .validation : .test
  }

  /// A part that is empty, or of less than a quarter of the size asked for.
  private func shortage(_ partition: DatasetPartition) -> (name: String, found: Int)? {
    let count = partition.parts.count
    var wanted: [(name: String, share: Double, found: Int)] = []
    func want(_ part: DatasetPart, _ share: Double) {
      let found = partition.parts.count { $0 == part }
      wanted.append(("the part \(part.rawValue)", share, found))
    }
    want(.training, folds.map { (1 - test) * Double($0 - 1) / Double($0) } ?? 1 - validation - test)
    if validation > 0, folds == nil { want(.validation, validation) }
    if test > 0 { want(.test, test) }
    for fold in 0..<(folds ?? 0) {
      let found = partition.folds?.count { $0 == fold + 1 } ?? 0
      wanted.append(("fold \(fold + 1)", (1 - test) / Double(folds ?? 1), found))
    }
    return wanted.first {
      $0.found == 0 || Double($0.found) < $0.share * Double(count) / 4
    }.map { ($0.name, $0.found) }
  }

  private static func impossible(
    _ short: (name: String, found: Int), _ partition: DatasetPartition
  ) -> DatasetError {
    let largest = partition.largestGroup
    return .impossible(
      problem:
        "\(short.name) would have \(short.found) of \(partition.parts.count) samples: they are"
        + " \(partition.groupCount) \(partition.groupCount == 1 ? "group" : "groups"), of which the"
        + " largest has \(largest.samples). Ask for fewer parts, or for more likeness before two"
        + " samples are joined (look-alike)")
  }

  /// What is sure joins first, so that the links of the doubtful kinds that are needed are few.
  private static func strongestFirst(_ links: [SampleLink]) -> [SampleLink] {
    let order = Dictionary(
      uniqueKeysWithValues: LinkKind.allCases.enumerated().map { ($0.element, $0.offset) })
    return links.sorted { a, b in
      let (first, second) = (order[a.kind] ?? 0, order[b.kind] ?? 0)
      if first != second { return first < second }
      if a.similarity != b.similarity { return a.similarity > b.similarity }
      return (a.first, a.second) < (b.first, b.second)
    }
  }
}

extension FaceManifest {
  /// Each sample's stratum.
  func strata(_ kind: DatasetSplitter.Strata) -> [Int] {
    var numbers: [Int: Int] = [:]
    return table.rows.map { row in
      let origin = kind == .labelAndOrigin ? Int(row.origin) + 1 : 0
      let stratum = 2 * origin + (kind == .none ? 0 : Int(row.label.rawValue))
      let number = numbers[stratum, default: numbers.count]
      numbers[stratum] = number
      return number
    }
  }
}
