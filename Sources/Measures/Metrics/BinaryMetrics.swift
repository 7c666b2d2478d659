import Foundation

/// Quality measures of probabilities of "fake", for faces or videos with known labels.
///
/// Judgements are weighted. A measure is NaN if the weights are all 0 or there are no judgements,
/// if a score is NaN, or, for measures that compare reals with fakes, if one label is missing.
package struct BinaryMetrics: Sendable {
  package private(set) var judgements: [Judgement]
  /// In the log loss, scores are clipped to `clip`...1 - `clip`, because a certain mistake would
  /// give an infinite loss.
  package var clip: Double
  /// For the accuracy, scores of at least this are called fake.
  package var threshold: Double

  /// Creates the metrics of judgements; the default clip is Kaggle's.
  package init(_ judgements: [Judgement] = [], clip: Double = 1e-15, threshold: Double = 0.5) {
    precondition(clip > 0 && clip < 0.5, "BinaryMetrics: clip \(clip)")
    self.judgements = judgements
    self.clip = clip
    self.threshold = threshold
  }

  /// Adds a judgement of weight 1.
  package mutating func add(_ score: Double, _ label: FaceLabel) {
    judgements.append(Judgement(score, label))
  }

  /// The number of judgements.
  package var count: Int { judgements.count }

  /// The mean negative log probability of the true label.
  package var logLoss: Double {
    mean { judgement in
      let fake = min(max(judgement.score, clip), 1 - clip)
      return judgement.label == .fake ? -log(fake) : -log1p(-fake)
    }
  }

  /// The mean squared difference between score and label, 1 for fake (Brier 1950).
  package var brier: Double {
    mean { judgement in
      let error = judgement.score - Double(judgement.label.target)
      return error * error
    }
  }

  /// The fraction of the judgements that are right at `threshold`.
  package var accuracy: Double {
    mean { $0.isRight(threshold: threshold) ? 1 : 0 }
  }

  /// The expected calibration error over bins of equal width: the mean distance between mean
  /// probability and fraction of fakes (Naeini et al. 2015).
  package func calibrationError(bins: Int = 15) -> Double {
    guard !hasNaN else { return .nan }
    return ReliabilityBins(judgements, .equalWidth(bins)).calibrationError
  }

  /// The area under the ROC curve: the probability that a fake has a higher score than a real; ties
  /// count one half.
  package var auc: Double { ranking?.auc ?? .nan }

  /// The mean precision at the found fakes, as scores fall: a sum over the steps of the
  /// precision-recall curve, without interpolation.
  package var averagePrecision: Double { ranking?.averagePrecision ?? .nan }

  /// The error rate at the threshold at which false positives and false negatives are equally
  /// frequent, interpolated linearly between thresholds.
  package var equalErrorRate: Double { ranking?.equalErrorRate ?? .nan }

  /// The judgements ranked by score; nil if a label has no judgement of positive weight, or if a
  /// score is NaN.
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

/// A quality measure of probabilities.
public enum Metric: String, Sendable, CaseIterable {
  /// The mean negative log likelihood, the score of Kaggle's challenge.
  case logLoss
  /// The mean squared difference between score and label.
  case brier
  /// The expected calibration error, over 15 bins of equal width.
  case calibrationError
  /// The fraction of judgements on the right side of one half.
  case accuracy
  /// The area under the ROC curve.
  case auc
  /// The mean precision at the found fakes.
  case averagePrecision
  /// The error rate at the threshold at which both kinds of errors are equally frequent.
  case equalErrorRate

  /// The metric's name in tables.
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

  /// Whether lower values are better.
  public var isLoss: Bool {
    switch self {
    case .logLoss, .brier, .calibrationError, .equalErrorRate: true
    case .accuracy, .auc, .averagePrecision: false
    }
  }

  /// The metric's value; NaN if it is not defined.
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
