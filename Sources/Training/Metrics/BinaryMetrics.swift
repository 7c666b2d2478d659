import Foundation

/// What probabilities of "fake" say of faces or videos whose truth is known, measured as they come in.
public struct BinaryMetrics: Sendable {
  /// One judgement.
  public struct Judgement: Sendable, Equatable {
    /// The probability of a fake.
    public var score: Double
    /// The truth.
    public var label: FaceLabel

    /// A judgement of a face or video.
    public init(_ score: Double, _ label: FaceLabel) {
      self.score = score
      self.label = label
    }
  }

  /// The judgements so far.
  public private(set) var judgements: [Judgement] = []
  /// How close to 0 and 1 a score counts as being at most in the log loss, since a sure mistake would
  /// be infinite.
  public var clip: Double
  /// Scores from here on are called fake when accuracy is counted.
  public var threshold: Double

  /// No judgements. The clip is Kaggle's unless told otherwise.
  public init(clip: Double = 1e-15, threshold: Double = 0.5) {
    precondition(clip > 0 && clip < 0.5, "BinaryMetrics: clip \(clip)")
    self.clip = clip
    self.threshold = threshold
  }

  /// Takes in a judgement.
  public mutating func add(_ score: Double, _ label: FaceLabel) {
    judgements.append(Judgement(score, label))
  }

  /// The number of judgements.
  public var count: Int { judgements.count }

  private var hasNaN: Bool { judgements.contains { $0.score.isNaN } }

  /// The mean of -log of the probability given to the truth; NaN without judgements or with a NaN.
  public var logLoss: Double {
    let sum = judgements.reduce(0.0) { sum, judgement in
      guard !judgement.score.isNaN else { return .nan }
      let fake = min(max(judgement.score, clip), 1 - clip)
      return sum - (judgement.label == .fake ? log(fake) : log1p(-fake))
    }
    return sum / Double(count)
  }

  /// The part of the judgements that are right; NaN without judgements or with a NaN.
  public var accuracy: Double {
    if hasNaN { return .nan }
    let right = judgements.count { ($0.score >= threshold) == ($0.label == .fake) }
    return Double(right) / Double(count)
  }

  /// The area under the curve of receiver operating characteristic: how often a fake is scored higher
  /// than a real, ties counting half. NaN unless there are both, or with a NaN.
  public var auc: Double {
    var area = 0.0
    guard
      let curve = forEachTie({ before, after in
        area += (after.falseRate - before.falseRate) * (after.trueRate + before.trueRate) / 2
      })
    else { return .nan }
    return curve.isComplete ? area : .nan
  }

  /// Where as many fakes pass for real as reals for fake, in the straight line between the thresholds
  /// on either side. NaN unless there are both kinds, or with a NaN.
  public var equalErrorRate: Double {
    var rate = Double.nan
    guard
      forEachTie({ before, after in
        // The curve rises through the line on which the two errors are equal.
        let (below, above) = (before.excess, after.excess)
        guard rate.isNaN, above >= 0 else { return }
        let part = -below / (above - below)
        rate = before.falseRate + part * (after.falseRate - before.falseRate)
      }) != nil
    else { return .nan }
    return rate
  }

  /// A point of the curve: what is called fake at a threshold.
  private struct CurvePoint {
    var falseRate = 0.0
    var trueRate = 0.0

    /// Called fake by mistake minus missed.
    var excess: Double { falseRate - (1 - trueRate) }
    var isComplete: Bool { falseRate == 1 && trueRate == 1 }
  }

  /// Calls `body` with the curve's points, two by two, and returns the last; nil where there is no
  /// curve.
  private func forEachTie(_ body: (CurvePoint, CurvePoint) -> Void) -> CurvePoint? {
    let fakes = judgements.count { $0.label == .fake }
    let reals = count - fakes
    guard fakes > 0, reals > 0, !hasNaN else { return nil }
    let sorted = judgements.sorted { $0.score > $1.score }
    var point = CurvePoint()
    var (falsely, truly, index) = (0, 0, 0)
    while index < sorted.count {
      let score = sorted[index].score
      while index < sorted.count, sorted[index].score == score {
        if sorted[index].label == .fake { truly += 1 } else { falsely += 1 }
        index += 1
      }
      let next = CurvePoint(
        falseRate: Double(falsely) / Double(reals), trueRate: Double(truly) / Double(fakes))
      body(point, next)
      point = next
    }
    return point
  }
}
