import DeepfakeCore

/// Which part of a dataset is kept from training to see how well the network does on what it has
/// not learned.
///
/// Frames of one video are nearly the same picture: a frame held out at random would be known
/// already. So:
///
/// 1. Where the manifest has a column `split`, that decides; `fold` asks for one of its folds
///   instead.
/// 2. Samples with a group, a person, a video or an original stay together with all that they are
///   linked to by any of these: nobody is on both sides, and no fake without the real video that it
///   was made from.
/// 3. Samples with none of these are grouped by where they stand: in a large folder, each `block`
///   files with neighbouring names are a group, since frames of one video mostly have neighbouring
///   names (an eighth of a folder that has less than eight such groups); a small folder, with at
///   most a twentieth of the samples, is one. Of the files in training, the `margin` next to a
///   group held out, at most a quarter of a group, are left out, since a video may go on across the
///   border.
///
/// Whole groups are then held out, by a seeded draw, so that about `fraction` of the real and of
/// the fake samples are. `DatasetSplitter` also looks at the pictures.
///
/// ```swift
/// let holdOut = HoldOut(fraction: 0.2, seed: 1)
/// let split = try holdOut.split(manifest)
/// print(split.training.count, split.heldOut.count, split.rule.rawValue)
/// ```
public struct HoldOut: Sendable, Equatable {
  /// The part of the samples that is held out, above 0 and below 1; a column `split` overrides it.
  public var fraction: Double
  /// What decides which groups are.
  public var seed: UInt64
  /// The fold of the manifest's column `fold` that is held out; nil where folds do not matter.
  public var fold: Int?
  /// Files in a group, where only neighbourhood groups them.
  public var block: Int
  /// Files left out at a border between training and what is held out, likewise.
  public var margin: Int

  /// A fifth is held out, in blocks of 250 files with 50 left out at borders, unless told
  /// otherwise.
  public init(fraction: Double = 0.2, seed: UInt64 = 0, block: Int = 250, margin: Int = 50) {
    precondition(fraction > 0 && fraction < 1, "HoldOut: fraction \(fraction) is not in 0...1")
    precondition(block > 0 && margin >= 0, "HoldOut: block \(block) or margin \(margin)")
    self.fraction = fraction
    self.seed = seed
    self.block = block
    self.margin = margin
  }

  /// A manifest in two parts, each in the manifest's order.
  ///
  /// - Throws: `DatasetError` where a word of the column `split` is unknown, a part would be empty,
  ///   or nearly all samples hang together.
  public func split(_ manifest: FaceManifest) throws(DatasetError) -> DataSplit {
    let groups = SampleGroups(manifest.table, blockLength: block)
    let result: DataSplit
    if let fold {
      result = try byFold(fold, groups.named(manifest))
    } else if manifest.hasSplit {
      result = try byColumn(groups.named(manifest))
    } else {
      let joined = groups.join()
      let draw = GroupDraw(shares: [1 - fraction, fraction], seed: seed)
      let parts = draw.parts(
        groups: joined.groups, count: joined.count,
        strata: manifest.table.rows.map { Int($0.label.rawValue) })
      let chosen = joined.groups.map { parts[$0] == 1 }
      let left = groups.border(chosen, margin: margin)
      result = DataSplit(
        groups.named(manifest), rule: groups.rule,
        isHeldOut: { chosen[$0] }, isLeftOut: { left.contains($0) })
    }
    guard !result.training.isEmpty, !result.heldOut.isEmpty else {
      if result.rule == .column {
        let missing = result.training.isEmpty ? "training (train)" : "validation (validation)"
        throw .impossible(problem: "the column split has no sample for \(missing); name some")
      }
      throw .impossible(
        problem:
          "the \(manifest.count) samples hang together by person, video or folder in such a way"
          + " that none can be held out, or all would be; say in a column 'split' of the manifest"
          + " which"
          + " are for training (train) and which for validation (validation)")
    }
    return result
  }

  private func byColumn(_ manifest: FaceManifest) throws(DatasetError) -> DataSplit {
    let parts = try manifest.parts()
    return DataSplit(
      manifest, rule: .column, isHeldOut: { parts[$0] == .validation },
      isLeftOut: { parts[$0] == .test || parts[$0] == .unused })
  }

  /// The fold is held out, the others are learned from; what the column split calls test or unused
  /// is left out.
  private func byFold(_ fold: Int, _ manifest: FaceManifest) throws(DatasetError) -> DataSplit {
    let table = manifest.table
    guard table.rows.contains(where: { $0.fold == Int32(clamping: fold) }) else {
      throw .impossible(
        problem:
          "no sample is of fold \(fold) in the column fold; 'dfkit split --folds' makes folds")
    }
    let parts = manifest.hasSplit ? try manifest.parts() : []
    return DataSplit(
      manifest, rule: .fold, isHeldOut: { table.rows[$0].fold == Int32(clamping: fold) },
      isLeftOut: {
        table.rows[$0].fold < 0 || !parts.isEmpty && [.test, .unused].contains(parts[$0])
      })
  }
}

/// A dataset in a part to train on and one that is held out.
public struct DataSplit: Sendable {
  /// What decided.
  public enum Rule: String, Sendable {
    /// The manifest's column.
    case column = "the manifest's column split"
    /// The manifest's folds.
    case fold = "the manifest's column fold"
    /// Persons, videos and originals.
    case identity = "person, video and original"
    /// Neighbouring files.
    case blocks = "blocks of neighbouring files"
    /// Persons and videos where known, neighbouring files elsewhere.
    case mixed = "person, video and original, and blocks of neighbouring files where none is known"
  }

  /// What to learn from. Every sample has a video: its group, where the manifest has none.
  public package(set) var training: FaceManifest
  /// What to judge by, likewise.
  public package(set) var heldOut: FaceManifest
  /// Samples in neither part: those at borders, or of a test part.
  public let leftOut: Int
  /// What decided.
  public let rule: Rule

  init(
    _ manifest: FaceManifest, rule: Rule, isHeldOut: (Int) -> Bool, isLeftOut: (Int) -> Bool
  ) {
    let indices = 0..<manifest.count
    training = manifest.subset(indices.filter { !isHeldOut($0) && !isLeftOut($0) })
    heldOut = manifest.subset(indices.filter { isHeldOut($0) && !isLeftOut($0) })
    leftOut = manifest.count - training.count - heldOut.count
    self.rule = rule
  }
}
