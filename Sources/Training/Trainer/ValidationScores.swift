import DeepfakeCore
import Foundation
import Measures

/// The network's predictions for a validation part, collected image by image.
struct ValidationScores {
  /// Scores by frame and by video.
  typealias Result = (frames: EpochMetrics.Scores, videos: EpochMetrics.Scores)

  private var frames = BinaryMetrics()
  private var videos = GroupMeans<Int>()
  private var logLossSum = 0.0

  /// Adds a prediction. An image without a video counts as a video of its own.
  mutating func add(logit: Float, label: FaceLabel, video: Int?) {
    let x = Double(label == .fake ? logit : -logit)
    // log(1 + exp(-x)) from the logit is accurate; from a rounded probability it would not be.
    logLossSum += max(-x, 0) + log1p(exp(-abs(x)))
    let probability = sigmoid(Double(logit))
    frames.add(probability, label)
    videos.add(probability, label, group: video)
  }

  /// Scores by frame and by video; nil without images.
  var result: Result? {
    guard frames.count > 0 else { return nil }
    var byFrame = EpochMetrics.Scores(frames)
    byFrame.logLoss = logLossSum / Double(frames.count)
    return (byFrame, EpochMetrics.Scores(videos.metrics(clip: 0.01)))
  }
}

extension EpochMetrics.Scores {
  /// The scores of some predictions. AUC and equal error rate are nil if a label has fewer than two
  /// predictions: they would depend on chance alone.
  init(_ metrics: BinaryMetrics) {
    let tellsApart = FaceLabel.allCases.allSatisfy { label in
      metrics.judgements.count { $0.label == label } > 1
    }
    func known(_ value: Double) -> Double? { value.isNaN || !tellsApart ? nil : value }
    self.init(
      logLoss: metrics.logLoss, accuracy: metrics.accuracy, auc: known(metrics.auc),
      equalErrorRate: known(metrics.equalErrorRate))
  }
}
