import DeepfakeCore
import Foundation
import Measures

/// The network's judgement of a validation part, collected image by image.
struct ValidationScores {
  /// By frame, and by video.
  typealias Result = (frames: EpochMetrics.Scores, videos: EpochMetrics.Scores)

  private var frames = BinaryMetrics()
  private var videos = GroupMeans<Int>()
  private var logLossSum = 0.0

  /// Adds an image. Images without a video are videos of their own.
  mutating func add(logit: Float, label: FaceLabel, video: Int?) {
    let x = Double(label == .fake ? logit : -logit)
    // log(1 + exp(-x)), which is exact for any logit where that of a rounded probability is not.
    logLossSum += max(-x, 0) + log1p(exp(-abs(x)))
    let probability = sigmoid(Double(logit))
    frames.add(probability, label)
    videos.add(probability, label, group: video)
  }

  /// By frame, and by video; nil where there was no image.
  var result: Result? {
    guard frames.count > 0 else { return nil }
    var byFrame = EpochMetrics.Scores(frames)
    byFrame.logLoss = logLossSum / Double(frames.count)
    return (byFrame, EpochMetrics.Scores(videos.metrics(clip: 0.01)))
  }
}

extension EpochMetrics.Scores {
  /// The scores that some judgements give. Of a single real or fake one, how well the two are told
  /// apart would be its luck alone: that is left open.
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
