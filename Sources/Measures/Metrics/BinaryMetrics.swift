import Foundation

/// How good probabilities of "fake" are for faces or videos whose truth is known.
///
/// Every judgement counts by its weight. A figure that cannot be said is NaN: without judgements
/// that count, with a score that is NaN, and, where a figure compares reals with fakes, without
/// both.
package struct BinaryMetrics: Sendable {
  package private(set) var judgements: [Judgement]
  /// How close to 0 and 1 a score counts as being at most in the log loss, since a sure mistake
  /// would be infinite.
  package var clip: Double
  /// Scores from here on are called fake when accuracy is counted.
  package var threshold: Double

  /// Metrics of judgements. The clip is Kaggle's unless told otherwise.
  package init(_ judgements: [Judgement] = [], clip: Double = 1e-15, threshold: Double = 0.5) {
    precondition(clip > 0 && clip < 0.5, "BinaryMetrics: clip \(clip)")
    self.judgements = judgements
    self.clip = clip
    self.threshold = threshold
  }

  /// Takes in a judgement.
  package mutating func add(_ score: Double, _ label: FaceLabel) {
    judgements.append(Judgement(score, label))
  }

  /// The number of judgements.
  package var count: Int { judgements.count }

  /// The mean of -log of the probability given to the truth.
  package var logLoss: Double {
    mean { judgement in
      let fake = min(max(judgement.score, clip), 1 - clip)
      return judgement.label == .fake ? -log(fake) : -log1p(-fake)
    }
  }

  /// The mean squared distance from the truth (Brier 1950).
  package var brier: Double {
    mean { judgement in
      let error = judgement.score - Double(judgement.label.target)
      return error * error
    }
  }

  /// The part of the judgements that are right.
  package var accuracy: Double {
    mean { $0.isRight(threshold: threshold) ? 1 : 0 }
  }

  /// How far mean probabilities lie from shares of fakes, over bins of equal width: the expected
  /// calibration error (Naeini et al. 2015).
  package func calibrationError(bins: Int = 15) -> Double {
    guard !hasNaN else { return .nan }
    return ReliabilityBins(judgements, .equalWidth(bins)).calibrationError
  }

  /// The area under the curve of receiver operating characteristic: how often a fake is scored
  /// higher than a real, ties counting half.
  package var auc: Double { ranking?.auc ?? .nan }

  /// The mean precision over the fakes found, as scores go down: a sum over the steps of the
  /// precision-recall curve, without a line between them.
  package var averagePrecision: Double { ranking?.averagePrecision ?? .nan }

  /// Where as many fakes pass for real as reals for fake, in the straight line between the
  /// thresholds on either side.
  package var equalErrorRate: Double { ranking?.equalErrorRate ?? .nan }

  /// What is called fake and found as the threshold goes down; nil where there are no reals or no
  /// fakes that count, or with a NaN.
  package var ranking: Ranking? { hasNaN ? nil : Ranking(judgements) }

  private var hasNaN: Bool { judgements.contains { $0.score.isNaN } }

  private func mean(_ value: (Judgement) -> Double) -> Double {
    var (sum, weight) = (0.0, 0.0)
    for judgement in judgements {
      guard !judgement.score.isNaN else { return .nan }
      sum += judgement.weight * value(judgement)
      weight += judgement.weight
    }
    return sum / weight
  }
}

/// A figure that tells how good probabilities are.
public enum Metric: String, Sendable, CaseIterable {
  /// The mean negative log likelihood, which Kaggle's challenge was scored by.
  case logLoss
  /// The mean squared distance from the truth.
  case brier
  /// The expected calibration error, over 15 bins of equal width.
  case calibrationError
  /// The part on the right side of one half.
  case accuracy
  /// The area under the ROC curve.
  case auc
  /// The mean precision over the fakes found.
  case averagePrecision
  /// Where both kinds of errors are equally frequent.
  case equalErrorRate

  /// The name in tables.
  public var title: String {
    switch self {
    case .logLoss: "log loss"
    case .brier: "Brier"
    case .calibrationError: "calibration error"
    case .accuracy: "accuracy"
    case .auc: "AUC"
    case .averagePrecision: "average precision"
    case .equalErrorRate: "EER"
    }
  }

  /// Whether less of it is better.
  public var isLoss: Bool {
    switch self {
    case .logLoss, .brier, .calibrationError, .equalErrorRate: true
    case .accuracy, .auc, .averagePrecision: false
    }
  }

  /// The figure; NaN where it cannot be said.
  package func value(_ metrics: BinaryMetrics) -> Double {
    switch self {
    case .logLoss: metrics.logLoss
    case .brier: metrics.brier
    case .calibrationError: metrics.calibrationError()
    case .accuracy: metrics.accuracy
    case .auc: metrics.auc
    case .averagePrecision: metrics.averagePrecision
    case .equalErrorRate: metrics.equalErrorRate
    }
  }
}
