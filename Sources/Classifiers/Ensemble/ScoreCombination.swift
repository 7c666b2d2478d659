import DeepfakeCore

/// The way from the members' frame scores of one person to one probability: what an ensemble does
/// once its members have judged, and all that trying other ways on scores computed before needs.
package struct ScoreCombination: Sendable {
  /// Makes one score out of a member's frame scores.
  package var frames: any Aggregator
  /// Makes one score out of the members' scores.
  package var models: any Aggregator
  /// What makes the members' common score a probability, applied to its log odds; nil leaves it as
  /// it is.
  package var calibration: LogitCalibration?
  /// The range that the final probability is held in; nil leaves it as it is.
  package var clip: ClosedRange<Float>?

  /// A combination; plain means unless told otherwise.
  package init(
    frames: any Aggregator = .mean, models: any Aggregator = .mean,
    calibration: LogitCalibration? = nil, clip: ClosedRange<Float>? = nil
  ) {
    self.frames = frames
    self.models = models
    self.calibration = calibration
    self.clip = clip
  }

  /// The assessment that frame scores lead to. Every member has at least one score.
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
