import DeepfakeCore

/// Combines the members' frame scores of one person into one probability. This is an ensemble
/// without its members, for trying other rules on scores computed before.
package struct ScoreCombination: Sendable {
  /// Combines a member's frame scores into one score.
  package var frames: any Aggregator
  /// Combines the members' scores into one score.
  package var models: any Aggregator
  /// Calibration of the members' combined score, applied to its log odds; nil: no calibration.
  package var calibration: LogitCalibration?
  /// The range to which the final probability is clipped; nil: no clipping.
  package var clip: ClosedRange<Float>?

  /// Creates a combination; by default both steps are plain means.
  package init(
    frames: any Aggregator = .mean, models: any Aggregator = .mean,
    calibration: LogitCalibration? = nil, clip: ClosedRange<Float>? = nil
  ) {
    self.frames = frames
    self.models = models
    self.calibration = calibration
    self.clip = clip
  }

  /// Combines the frame scores of one person. Every member has at least one score.
  package func callAsFunction(_ scores: [MemberScores]) -> Assessment {
    let members = scores.map { member in
      Assessment.Member(
        name: member.name, frames: member.frames, probability: frames.aggregate(member.frames))
    }
    var probability = models.aggregate(members.map(\.probability))
    if let calibration { probability = calibration.probability(of: probability) }
    if let clip { probability = min(max(probability, clip.lowerBound), clip.upperBound) }
    return Assessment(members: members, probability: probability)
  }
}
