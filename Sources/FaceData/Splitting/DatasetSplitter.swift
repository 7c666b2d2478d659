import Measures

/// Divides a dataset into parts so that samples that belong together are never in two parts.
///
/// Samples belong together if they show one person or video, if one is a fake and the other from
/// its original, or if `links` joins them: copies, neighbouring frames, similar faces. The
/// connected components are the groups. Whole groups are drawn, so that each part has its share of
/// the real and the fake samples of every collection (column `origin`).
package struct DatasetSplitter: Sendable, Equatable {
  /// Fraction of the samples for validation, 0 to below 1; ignored with folds.
  package var validation = 0.2
  /// Fraction of the samples for the final test.
  package var test = 0.0
  /// Number of folds: parts of equal size, each held out once; nil makes no folds.
  package var folds: Int?
  /// Random seed; the same seed gives the same split.
  package var seed: UInt64 = 0
  /// Whether videos of one folder belong together. Use it for DFDC, whose folders share people.
  package var joinsFolders = false
  /// Whether every sample is drawn alone. Such a split leaks; it serves as a comparison.
  package var isRandom = false

  /// A splitter that draws a fifth of the samples for validation.
  package init() {}

  /// Divides the samples of a manifest.
  ///
  /// Samples of which the manifest says nothing are drawn in blocks of neighbouring files, as in
  /// `HoldOut`, and some at borders become `unused`. A group with samples in several blocks is
  /// drawn with the block that most of its samples are in.
  ///
  /// - Parameter links: The links found in the pictures; nil if the pictures were not compared.
  /// - Throws: `DatasetError.impossible` if a part would be empty or much smaller than asked for.
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
      // Too few groups to give every part its share of all strata: try coarser strata.
      partition = self.partition(manifest, blocks, joined, drawn, strata, links)
    }
    if let shortage = shortage(partition) { throw Self.impossible(shortage, partition) }
    return partition
  }

  /// The strata of which every part gets its share.
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

  /// The groups, and the larger groups that are drawn. Groups of which only neighbours are known
  /// are drawn in blocks of neighbours too, since other scenes of a person are mostly near.
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

  /// Every sample as a group of its own.
  private func alone(
    _ manifest: FaceManifest
  ) -> (joined: SampleGroups.Joined, drawn: SampleGroups.Joined) {
    let joined = SampleGroups.Joined(groups: Array(0..<manifest.count), count: manifest.count)
    return (joined, joined)
  }

  /// The shares in the order training (or the folds), validation, test, without empty ones.
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

  /// The first part that is empty or has less than a quarter of the size asked for; nil if none.
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
        "\(short.name) would have \(short.found) of \(partition.parts.count) samples: they form"
        + " \(partition.groupCount) \(partition.groupCount == 1 ? "group" : "groups"), of which the"
        + " largest has \(largest.samples). Ask for fewer parts, or raise --look-alike, so that"
        + " fewer faces are joined")
  }

  /// Sorts links from the surest kind to the most doubtful, so that few doubtful links join groups.
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
  /// Each sample's stratum, from 0.
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
