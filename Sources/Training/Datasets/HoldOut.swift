import DeepfakeCore

/// Which part of a dataset is kept from training to see how well the network does on what it has not
/// learned.
///
/// Frames of one video are nearly the same picture: a frame held out at random would be known already. So:
///
/// 1. Where the manifest has a column `split`, that decides.
/// 2. Samples with a person, a video or an original stay together with all that they are linked to by any
///    of these: nobody is on both sides, and no fake without the real video that it was made from.
/// 3. Samples with none of these are grouped by where they stand: in a large folder, each `block` files
///    with neighbouring names are a group, since frames of one video mostly have neighbouring names (an
///    eighth of a folder that has less than eight such groups); a small folder, with at most a twentieth of
///    the samples, is one. Of the files in training, the `margin` next to a group held out, at most a quarter
///    of a group, are left out, since a video may go on across the border.
///
/// Whole groups are then held out, by a seeded draw, until about `fraction` of the real and of the fake
/// samples are.
public struct HoldOut: Sendable, Equatable {
  /// The part of the samples that is held out, above 0 and below 1; a column `split` overrides it.
  public var fraction: Double
  /// What decides which groups are.
  public var seed: UInt64
  /// Files in a group, where only neighbourhood groups them.
  public var block: Int
  /// Files left out at a border between training and what is held out, likewise.
  public var margin: Int

  /// A fifth is held out, in blocks of 250 files with 50 left out at borders, unless told otherwise.
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
  /// - Throws: `DatasetError` where a word of the column `split` is unknown, a part would be empty, or
  ///   nearly all samples hang together.
  public func split(_ manifest: FaceManifest) throws(DatasetError) -> DataSplit {
    let none = SampleTable.Row.none
    let groups = SampleGroups(manifest.table, blockLength: block)
    let result: DataSplit
    if manifest.table.rows.contains(where: { $0.split != none }) {
      result = try byColumn(groups.named(manifest))
    } else {
      let chosen = draw(groups.join())
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
          + " that none can be held out, or all would be; say in a column 'split' of the manifest which"
          + " are for training (train) and which for validation (validation)")
    }
    return result
  }

  private func byColumn(_ manifest: FaceManifest) throws(DatasetError) -> DataSplit {
    let words: [String: DataSplit.Part] = [
      "train": .training, "training": .training, "val": .heldOut, "valid": .heldOut,
      "validation": .heldOut, "dev": .heldOut, "test": .neither,
    ]
    var parts: [DataSplit.Part] = []
    parts.reserveCapacity(manifest.count)
    for row in manifest.table.rows {
      let word = manifest.table.words[row.split, default: ""]
      guard let part = words[word.lowercased()] else {
        throw .impossible(
          problem: "\(manifest.table.path(row)) has '\(word)' in the column split; give each row"
            + " train, validation or test, or none any")
      }
      parts.append(part)
    }
    return DataSplit(
      manifest, rule: .column, isHeldOut: { parts[$0] == .heldOut },
      isLeftOut: { parts[$0] == .neither })
  }

  /// Which samples are held out, given each one's group.
  private func draw(_ joined: SampleGroups.Joined) -> [Bool] {
    var sizes = Array(repeating: [0, 0], count: joined.count)
    var totals = [0, 0]
    for (index, group) in joined.groups.enumerated() {
      let label = Int(joined.labels[index].rawValue)
      sizes[group][label] += 1
      totals[label] += 1
    }
    let wanted = totals.map { Double($0) * fraction }
    var generator = SeededGenerator(seed: seed, label: "hold-out")
    var held = [0.0, 0.0]
    var isHeld = Array(repeating: false, count: joined.count)
    for group in (0..<joined.count).shuffled(using: &generator) {
      // A group is taken where that brings both labels' parts nearer to what is wanted.
      var gain = 0.0
      for label in 0..<2 where totals[label] > 0 {
        let after = held[label] + Double(sizes[group][label])
        let nearer = abs(held[label] - wanted[label]) - abs(after - wanted[label])
        gain += nearer / Double(totals[label])
      }
      guard gain > 0 else { continue }
      isHeld[group] = true
      for label in 0..<2 { held[label] += Double(sizes[group][label]) }
    }
    return joined.groups.map { isHeld[$0] }
  }
}

/// A dataset in a part to train on and one that is held out.
public struct DataSplit: Sendable {
  /// What decided.
  public enum Rule: String, Sendable {
    /// The manifest's column.
    case column = "the manifest's column split"
    /// Persons, videos and originals.
    case identity = "person, video and original"
    /// Neighbouring files.
    case blocks = "blocks of neighbouring files"
    /// Persons and videos where known, neighbouring files elsewhere.
    case mixed = "person, video and original, and blocks of neighbouring files where none is known"
  }

  enum Part { case training, heldOut, neither }

  /// What to learn from. Every sample has a video: its group, where the manifest has none.
  public let training: FaceManifest
  /// What to judge by, likewise.
  public let heldOut: FaceManifest
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
