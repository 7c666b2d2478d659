import Classifiers
import DeepfakeCore
import Foundation
import Measures
import MediaIO

/// Measures the effect of each choice between face scores and verdicts. It changes one choice at a
/// time and uses scores that are already computed.
package struct Ablation: Sendable {
  /// A choice that can be varied.
  package enum Kind: String, Sendable, CaseIterable {
    /// How the frame scores of a member become one score.
    case aggregators
    /// The range to which probabilities are clipped.
    case clip
    /// The number of frames used.
    case frames
    /// Which members of the ensemble are used: every subset.
    case members
    /// Whether faces are also scored mirrored or rotated (test-time augmentation).
    case tta
    /// By which factor the log odds are scaled.
    case postprocess
  }

  /// The figures of one setting.
  package struct Row: Sendable {
    package var kind: Kind
    /// The setting, in words.
    package var setting: String
    /// Whether this is the recipe's own setting.
    package var isRecipe: Bool
    /// The figures of all videos. A video without a probability counts as 0.5.
    package var videos: MetricFigures
    /// The figures minus those of the recipe's own setting. The intervals draw the same groups for
    /// both.
    package var difference: MetricFigures
  }

  /// The files with the recipe's verdicts.
  package let files: [EvaluatedFile]
  /// Makes verdicts by the recipe's rules.
  package let maker: VerdictMaker
  /// The videos with the recipe's verdicts.
  private let own: EvaluationUnits
  /// The same files scored in other views, for `tta`. A file of `files` that is missing in a view
  /// is scored without that view.
  package var views: [(view: CropView, files: [EvaluatedFile])] = []
  /// Draws groups for the confidence intervals.
  package var bootstrap = GroupBootstrap()

  /// The figures of each row.
  package static let metrics: [Metric] = [.logLoss, .auc, .accuracy]

  /// Takes scored files and the recipe's rules for verdicts.
  package init(_ files: [EvaluatedFile], _ maker: VerdictMaker) {
    self.files = files
    self.maker = maker
    own = EvaluationUnits(files, .video, maker)
  }

  /// One row for each setting of a choice; the recipe's own setting comes first.
  package func rows(_ kind: Kind) -> [Row] {
    switch kind {
    case .aggregators: aggregators
    case .clip: clips
    case .frames: frameCounts
    case .members: subsets
    case .tta: viewSets
    case .postprocess: logOddsScaleRows
    }
  }

  private var aggregators: [Row] {
    // The names used in recipes.
    let named = [
      "mean", "median", "trimmed-mean:0.1", "trimmed-mean:0.25", "mean-logit", "confident",
      "power-weighted:1", "power-weighted:2", "maximum",
    ]
    return [row(.aggregators, "as in the recipe", isRecipe: true, maker)]
      + named.compactMap { name in
        guard let aggregator = AggregatorName(name)?.aggregator else { return nil }
        var changed = maker
        changed.combination.frames = aggregator
        return row(.aggregators, name, changed)
      }
  }

  private var clips: [Row] {
    [row(.clip, "as in the recipe", isRecipe: true, maker)]
      + [0, 0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1].map { margin in
        var changed = maker
        changed.combination.clip = margin == 0 ? nil : Float(margin)...Float(1 - margin)
        return row(.clip, margin == 0 ? "none" : "\(margin) to \(1 - margin)", changed)
      }
  }

  private var frameCounts: [Row] {
    let most = files.map(\.report.frames).max() ?? 0
    let counts = [1, 2, 3, 5, 10, 15, 20, 25, 30, 40, 50].filter { $0 < most }
    return [row(.frames, "\(most), all that were looked at", isRecipe: true, maker)]
      + counts.map { count in
        row(.frames, "\(count)", maker, files.map { $0.having(frames: count) })
      }
  }

  private var subsets: [Row] {
    let judged = files.first { !$0.report.scores.faces.isEmpty }
    let names = judged?.report.scores.members.map(\.name) ?? []
    let recipe = row(
      .members, names.count == 1 ? "the only one" : "all \(names.count)", isRecipe: true, maker)
    // Nobody reads more than 2^10 subsets, so larger ensembles get no subsets.
    guard (2...10).contains(names.count) else { return [recipe] }
    let proper = 1..<((1 << names.count) - 1)
    let sets: [[Int]] = proper.map { (bits: Int) -> [Int] in
      names.indices.filter { (bits >> $0) & 1 == 1 }
    }
    .sorted { (one: [Int], other: [Int]) -> Bool in
      one.count != other.count
        ? one.count < other.count : one.lexicographicallyPrecedes(other)
    }
    return [recipe]
      + sets.map { members in
        var changed = maker
        if let models = maker.combination.models as? any MemberAggregator {
          changed.combination.models = models.subset(members)
        }
        return row(
          .members, members.map { names[$0] }.joined(separator: " + "), changed,
          files.map { $0.having(members: members) })
      }
  }

  private var viewSets: [Row] {
    var rows = [row(.tta, "plain", isRecipe: true, maker)]
    for view in views {
      rows.append(row(.tta, "plain + \(view.view.name)", maker, Self.mean([files, view.files])))
    }
    if views.count > 1 {
      rows.append(row(.tta, "all of them", maker, Self.mean([files] + views.map(\.files))))
    }
    return rows
  }

  private var logOddsScaleRows: [Row] {
    [row(.postprocess, "as in the recipe", isRecipe: true, maker)]
      + [0.5, 0.75, 1.25, 1.5, 2, 3].map { factor in
        var changed = maker
        let own = maker.combination.calibration ?? .identity
        changed.combination.calibration = LogitCalibration(
          scale: own.scale * factor, offset: own.offset * factor)
        return row(.postprocess, "log odds x \(factor)", changed)
      }
  }

  /// The figures of a setting and their difference from the recipe's own.
  private func row(
    _ kind: Kind, _ setting: String, isRecipe: Bool = false, _ changed: VerdictMaker,
    _ given: [EvaluatedFile]? = nil
  ) -> Row {
    let judged = (given ?? files).map { file in
      var file = file
      changed.decide(&file.report)
      return file
    }
    let units = EvaluationUnits(judged, .video, changed)
    return Row(
      kind: kind, setting: setting, isRecipe: isRecipe,
      videos: units.figures(bootstrap, Self.metrics),
      difference: units.difference(from: own, bootstrap, Self.metrics))
  }

  /// The files of the first view, with face scores averaged over all views. A view is skipped for a
  /// file that it lacks or whose number of faces differs.
  private static func mean(_ views: [[EvaluatedFile]]) -> [EvaluatedFile] {
    guard var result = views.first else { return [] }
    let named = views.dropFirst().map { files in
      Dictionary(files.map { ($0.name, $0.report.scores.faces) }) { first, _ in first }
    }
    for (place, file) in result.enumerated() {
      let own = file.report.scores.faces
      let all = [own] + named.compactMap { $0[file.name] }.filter { $0.count == own.count }
      for face in own.indices {
        result[place].report.scores.faces[face].scores = own[face].scores.indices.map { member in
          MeanAggregator().aggregate(all.map { $0[face].scores[member] })
        }
      }
    }
    return result
  }
}

extension EvaluatedFile {
  /// The file as if only `count` evenly spread frames had been searched. Frames without a scored
  /// face are not recorded, so the frames with faces are reduced in proportion.
  func having(frames count: Int) -> EvaluatedFile {
    var file = self
    var frames: [Int] = []
    for face in report.scores.faces where frames.last != face.frame { frames.append(face.frame) }
    guard report.frames > count, !frames.isEmpty else { return self }
    // Keep the same fraction of the frames with faces as of all frames.
    let kept = max(1, Int((Double(count) * Double(frames.count) / Double(report.frames)).rounded()))
    let chosen = Set((0..<kept).map { frames[(2 * $0 + 1) * frames.count / (2 * kept)] })
    let faces = report.scores.faces.filter { chosen.contains($0.frame) }
    file.report.scores.faces = faces
    file.report.frames = count
    file.report.facesFound = min(count, kept)
    for index in file.report.people.indices {
      let id = file.report.people[index].id
      file.report.people[index].framesJudged = faces.count { $0.person == id }
    }
    return file
  }

  /// The file as if only these members of the ensemble had scored it.
  func having(members: [Int]) -> EvaluatedFile {
    var file = self
    // Without a scored face there are no member scores.
    if !report.scores.faces.isEmpty { file.report.scores = report.scores.having(members: members) }
    return file
  }
}
