import Foundation

/// The network's judgement of a validation part, collected image by image.
struct ValidationScores {
  private var probabilities: [Double] = []
  private var labels: [Bool] = []
  private var videos: [Int: (sum: Double, count: Int, isFake: Bool)] = [:]
  private var logLossSum = 0.0

  /// Adds an image. Images without a video are videos of their own.
  mutating func add(logit: Float, label: FaceLabel, video: Int?) {
    let isFake = label == .fake
    let x = Double(isFake ? logit : -logit)
    // log(1 + exp(-x)), which is exact for any logit.
    logLossSum += max(-x, 0) + log1p(exp(-abs(x)))
    let probability = 1 / (1 + exp(-Double(logit)))
    probabilities.append(probability)
    labels.append(isFake)
    let key = video ?? -1 - labels.count
    videos[key, default: (0, 0, isFake)].sum += probability
    videos[key]?.count += 1
  }

  /// By frame, and by video; nil where there was no image.
  var result: (frames: EpochMetrics.Scores, videos: EpochMetrics.Scores)? {
    guard !labels.isEmpty else { return nil }
    let frames = Self.scores(
      probabilities, labels, logLoss: logLossSum / Double(labels.count))
    let keys = videos.keys.sorted()
    let groups = keys.compactMap { videos[$0] }
    let means = groups.map { min(max($0.sum / Double($0.count), 0.01), 0.99) }
    let losses = zip(means, groups).map { -log($1.isFake ? $0 : 1 - $0) }
    let byVideo = Self.scores(
      means, groups.map(\.isFake), logLoss: losses.reduce(0, +) / Double(losses.count))
    return (frames, byVideo)
  }

  private static func scores(
    _ probabilities: [Double], _ labels: [Bool], logLoss: Double
  ) -> EpochMetrics.Scores {
    let right = zip(probabilities, labels).count { ($0 >= 0.5) == $1 }
    let curve = rankCurve(probabilities, labels)
    return EpochMetrics.Scores(
      logLoss: logLoss, accuracy: Double(right) / Double(labels.count), auc: curve?.auc,
      equalErrorRate: curve?.equalErrorRate)
  }

  private static func rankCurve(
    _ probabilities: [Double], _ labels: [Bool]
  ) -> (auc: Double, equalErrorRate: Double)? {
    let fakes = Double(labels.count { $0 })
    let reals = Double(labels.count) - fakes
    guard fakes > 0, reals > 0 else { return nil }
    let order = probabilities.indices.sorted { probabilities[$0] > probabilities[$1] }
    var (hits, alarms, area) = (0.0, 0.0, 0.0)
    var equal: Double?
    var index = 0
    while index < order.count {
      let (hitsBefore, alarmsBefore) = (hits, alarms)
      let value = probabilities[order[index]]
      while index < order.count, probabilities[order[index]] == value {
        if labels[order[index]] { hits += 1 } else { alarms += 1 }
        index += 1
      }
      area += (alarms - alarmsBefore) * (hits + hitsBefore) / 2
      // The errors cross between two thresholds; the rate is interpolated there.
      let before = alarmsBefore / reals - (1 - hitsBefore / fakes)
      let after = alarms / reals - (1 - hits / fakes)
      if equal == nil, after >= 0 {
        let part = after > before ? -before / (after - before) : 0
        equal = (alarmsBefore + part * (alarms - alarmsBefore)) / reals
      }
    }
    return (area / (fakes * reals), equal ?? 1)
  }
}
