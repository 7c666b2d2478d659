/// Puts a dataset's samples into parts so that what belongs together is never in two of them.
///
/// What belongs together are samples of one person or video, fakes and the videos that they were made from, and
/// whatever `links` say: copies, neighbouring frames, faces that look alike. The connected parts of all that are
/// the groups; whole groups are drawn, so that each part has its share of the real and the fake samples of
/// every collection (column origin).
public struct DatasetSplitter: Sendable, Equatable {
  /// The part of the samples to validate with, 0 to below 1; passed over where there are folds.
  public var validation = 0.2
  /// The part to test with in the end.
  public var test = 0.0
  /// Parts of one size that are each held out once; nil for none.
  public var folds: Int?
  /// What draws.
  public var seed: UInt64 = 0
  /// Whether videos of one folder belong together, as those of a DFDC part do.
  public var joinsFolders = false
  /// Whether every sample is drawn by itself, which leaks: to compare with.
  public var isRandom = false

  /// A fifth is for validation.
  public init() {}

  /// The samples' parts.
  ///
  /// - Parameter links: what the pictures say; nil where nobody looked. Then samples of which the manifest says
  ///   nothing are put together in blocks of neighbours, as `HoldOut` does, and some at borders are `unused`.
  /// - Throws: `DatasetError.impossible` where a part would be empty or nearly all samples hang together.
  public func split(
    _ manifest: FaceManifest, links: [SampleLink]?
  ) throws(DatasetError) -> DatasetPartition {
    var manifest = manifest
    for index in manifest.table.rows.indices {
      manifest.table.rows[index].split = SampleTable.Row.none
      manifest.table.rows[index].fold = SampleTable.Row.none
      manifest.table.rows[index].group = SampleTable.Row.none
    }
    let groups = SampleGroups(manifest.table, blockLength: links == nil ? HoldOut().block : nil)
    let joined =
      isRandom
      ? SampleGroups.Joined(groups: Array(0..<manifest.count), count: manifest.count)
      : groups.join(Self.strongestFirst(links ?? []), joinsFolders: joinsFolders)
    let drawn = GroupDraw(shares: shares, seed: seed).parts(
      groups: joined.groups, count: joined.count, strata: manifest.strata)
    var parts = joined.groups.map { part(drawn[$0]) }
    if links == nil, !isRandom {
      for other in shares.indices.dropFirst() {
        let isInOther = joined.groups.map { drawn[$0] == other }
        for index in groups.border(isInOther, margin: HoldOut().margin) where folds == nil {
          parts[index] = .unused
        }
      }
    }
    let partition = DatasetPartition(
      manifest: manifest, parts: parts,
      folds: folds.map { folds in
        joined.groups.map { drawn[$0] < folds ? drawn[$0] + 1 : nil }
      }, groups: joined, rule: isRandom ? nil : groups.rule, sawPictures: links != nil)
    try check(partition)
    return partition
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

  private func check(_ partition: DatasetPartition) throws(DatasetError) {
    let isEmpty = Set(partition.parts).isDisjoint(with:)
    let wanted: [DatasetPart] =
      [.training] + (validation > 0 || folds != nil ? [.validation] : [])
      + (test > 0 ? [.test] : [])
    let found = Set((partition.folds ?? []).compactMap { $0 })
    guard let empty = wanted.first(where: { isEmpty([$0]) }) else {
      guard let folds, let fold = (1...folds).first(where: { !found.contains($0) }) else { return }
      throw Self.impossible("fold \(fold)", partition)
    }
    throw Self.impossible("the part \(empty.rawValue)", partition)
  }

  private static func impossible(_ part: String, _ partition: DatasetPartition) -> DatasetError {
    let largest = partition.largestGroup
    return .impossible(
      problem: "\(part) would be empty: the \(partition.parts.count) samples are"
        + " \(partition.groupCount) \(partition.groupCount == 1 ? "group" : "groups"), of which the"
        + " largest has \(largest.samples). Ask for fewer parts, or for more likeness before two"
        + " samples are joined")
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
  /// Each sample's stratum: its label and collection.
  var strata: [Int] {
    var numbers: [Int: Int] = [:]
    return table.rows.map { row in
      let stratum = 2 * (Int(row.origin) + 1) + Int(row.label.rawValue)
      let number = numbers[stratum, default: numbers.count]
      numbers[stratum] = number
      return number
    }
  }
}
