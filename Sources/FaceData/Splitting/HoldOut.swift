import DeepfakeCore

/// Chooses the part of a dataset that is held out from training, to measure how well a network does
/// on data that it has not learned.
///
/// Frames of one video are nearly the same picture, so a frame held out at random would be known
/// already. Instead:
///
/// 1. If the manifest has a column `split`, that decides. `fold` asks for one of its folds instead.
/// 2. Samples with a group, a person, a video or an original stay together with all samples that
///    any of these links them to. So no person is in both parts, and no fake is separated from its
///    original.
/// 3. Samples with none of these are grouped by their place. In a large folder, each `block` files
///    with neighbouring names are a group, since frames of one video mostly have neighbouring
///    names. A folder with less than eight such groups is divided into eighths. A small folder,
///    with at most a twentieth of the samples, is one group. A video may continue across the border
///    of a group. Therefore up to `margin` training files next to a held-out group, at most a
///    quarter of a group, are left out.
///
/// Whole groups are then held out by a seeded draw, until about `fraction` of the real and of the
/// fake samples are. `DatasetSplitter` also compares the pictures.
///
/// ```swift
/// let holdOut = HoldOut(fraction: 0.2, seed: 1)
/// let split = try holdOut.split(manifest)
/// print(split.training.count, split.heldOut.count, split.rule.rawValue)
/// ```
public struct HoldOut: Sendable, Equatable {
  /// Fraction of the samples to hold out, above 0 and below 1. A column `split` overrides it.
  public var fraction: Double
  /// Random seed; the same seed holds out the same groups.
  public var seed: UInt64
  /// The fold to hold out, a number in the manifest's column `fold`; nil ignores that column.
  public var fold: Int?
  /// Number of files in a group of neighbouring files.
  public var block: Int
  /// Number of neighbouring files left out at a border between training and held-out files.
  public var margin: Int

  /// By default, a fifth is held out, in blocks of 250 files with 50 left out at borders.
  public init(fraction: Double = 0.2, seed: UInt64 = 0, block: Int = 250, margin: Int = 50) {
    precondition(fraction > 0 && fraction < 1, "HoldOut: fraction \(fraction) is not in 0...1")
    precondition(block > 0 && margin >= 0, "HoldOut: block \(block) or margin \(margin)")
    self.fraction = fraction
    self.seed = seed
    self.block = block
    self.margin = margin
  }

  /// Divides a manifest into two parts, each in the manifest's order.
  ///
  /// Samples that a teacher labelled (the column `probability`) are never held out, and do not
  /// change which samples are. They are for training, unless they are linked with a sample that is
  /// held out or for the final test, or the column `split` calls them something else.
  ///
  /// - Throws: `DatasetError` if the column `split` has an unknown word, no sample is in the fold,
  ///   or a part would be empty because nearly all samples belong together.
  public func split(_ manifest: FaceManifest) throws(DatasetError) -> DataSplit {
    let groups = SampleGroups(manifest.table, blockLength: block)
    let choice =
      manifest.pseudoLabelledCount == 0
      ? try choose(manifest, groups) : try chooseAmongKnown(manifest, groups)
    let result = DataSplit(groups.named(manifest), choice.parts, choice.rule)
    guard !result.training.isEmpty, !result.heldOut.isEmpty else {
      if result.rule == .column {
        let missing = result.training.isEmpty ? "training (train)" : "validation (validation)"
        throw .impossible(problem: "the column split has no sample for \(missing); give it some")
      }
      throw .impossible(
        problem:
          "the \(manifest.count) samples are linked by person, video or folder, so that no part can"
          + " be held out. Add a column 'split' to the manifest that says which samples are for"
          + " training (train) and which for validation (validation)")
    }
    return result
  }

  /// The part of each sample: `training`, `validation` if it is held out, `test` or `unused` if it
  /// is in neither. And the rule that gave it.
  private typealias Choice = (parts: [DatasetPart], rule: DataSplit.Rule)

  private func choose(
    _ manifest: FaceManifest, _ groups: SampleGroups
  ) throws(DatasetError) -> Choice {
    if let fold { return (try byFold(fold, manifest), .fold) }
    if manifest.hasSplit { return (try manifest.parts(), .column) }
    let joined = groups.join()
    let draw = GroupDraw(shares: [1 - fraction, fraction], seed: seed)
    let parts = draw.parts(
      groups: joined.groups, count: joined.count,
      strata: manifest.table.rows.map { Int($0.label.rawValue) })
    let chosen = joined.groups.map { parts[$0] == 1 }
    let left = groups.border(chosen, margin: margin)
    return (
      chosen.indices.map { chosen[$0] ? .validation : left.contains($0) ? .unused : .training },
      groups.rule
    )
  }

  /// Holds out samples whose labels are known, as if there were no others. Then adds the
  /// pseudo-labelled ones.
  private func chooseAmongKnown(
    _ manifest: FaceManifest, _ groups: SampleGroups
  ) throws(DatasetError) -> Choice {
    let rows = manifest.table.rows
    let known = rows.indices.filter { !rows[$0].isPseudoLabelled }
    guard !known.isEmpty else {
      throw .impossible(
        problem: "a teacher gave all labels of the data (the column probability), so no part can be"
          + " held out. Add samples whose labels are known, or hold out nothing (--hold-out 0)")
    }
    let labelled = manifest.subset(known)
    let choice = try choose(labelled, SampleGroups(labelled.table, blockLength: block))
    let isDrawn = choice.rule != .column && choice.rule != .fold
    // A column that divides the samples knows better than the places of files.
    let links = (isDrawn ? groups : SampleGroups(manifest.table, blockLength: nil)).join().groups
    var parts = try manifest.knownParts().map { $0 ?? .training }
    var barred: Set<Int> = []
    for (index, part) in zip(known, choice.parts) {
      parts[index] = part
      if part == .validation || part == .test { barred.insert(links[index]) }
    }
    for index in rows.indices where rows[index].isPseudoLabelled {
      let isInFold = fold.map { rows[index].fold == Int32(clamping: $0) } ?? false
      if parts[index] != .training || isInFold || barred.contains(links[index]) {
        parts[index] = .unused
      }
    }
    return (parts, choice.rule)
  }

  /// Holds out the fold and trains on the other folds. Samples that the column `split` calls test
  /// or unused are left out.
  private func byFold(_ fold: Int, _ manifest: FaceManifest) throws(DatasetError) -> [DatasetPart] {
    let rows = manifest.table.rows
    guard rows.contains(where: { $0.fold == Int32(clamping: fold) }) else {
      throw .impossible(
        problem:
          "no sample is in fold \(fold) of the column fold; 'dfkit split --folds' makes folds")
    }
    let parts = manifest.hasSplit ? try manifest.parts() : []
    return rows.indices.map { index in
      if !parts.isEmpty, [.test, .unused].contains(parts[index]) { return parts[index] }
      if rows[index].fold < 0 { return .unused }
      return rows[index].fold == Int32(clamping: fold) ? .validation : .training
    }
  }
}

/// A dataset divided into training samples and held-out samples.
public struct DataSplit: Sendable {
  /// The rule that divided the samples.
  public enum Rule: String, Sendable {
    /// The manifest's column `split`.
    case column = "the manifest's column split"
    /// The manifest's column `fold`.
    case fold = "the manifest's column fold"
    /// Groups, persons, videos and originals.
    case identity = "person, video and original"
    /// Blocks of neighbouring files.
    case blocks = "blocks of neighbouring files"
    /// Persons, videos and originals where known, blocks of neighbouring files elsewhere.
    case mixed = "person, video and original, and blocks of neighbouring files where none is known"
  }

  /// Samples to train on. Each has a video; where the manifest has none, it names the group.
  public package(set) var training: FaceManifest
  /// Samples to evaluate on. Each has a video; where the manifest has none, it names the group.
  public package(set) var heldOut: FaceManifest
  /// Number of samples in neither part: those at borders, of a test or unused part, or
  /// pseudo-labelled and linked with a held-out sample.
  public let leftOut: Int
  /// How many of `leftOut` are pseudo-labelled.
  package let pseudoLabelledLeftOut: Int
  /// The rule that divided the samples.
  public let rule: Rule

  /// Divides a manifest by the part of each sample; held-out samples are those of `validation`.
  init(_ manifest: FaceManifest, _ parts: [DatasetPart], _ rule: Rule) {
    training = manifest.subset(parts.indices.filter { parts[$0] == .training })
    heldOut = manifest.subset(parts.indices.filter { parts[$0] == .validation })
    leftOut = manifest.count - training.count - heldOut.count
    pseudoLabelledLeftOut =
      manifest.pseudoLabelledCount - training.pseudoLabelledCount - heldOut.pseudoLabelledCount
    self.rule = rule
  }
}
