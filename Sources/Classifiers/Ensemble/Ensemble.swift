import DeepfakeCore

/// Several scorers that judge the same crops, with rules that combine their scores.
///
/// `frames` combines each member's frame scores into the member's score. `models` combines the
/// members' scores into one. `calibration` turns that into a calibrated probability. `clip` keeps
/// it away from 0 and 1, because log loss punishes wrong certainty.
///
/// ```swift
/// let b0 = try ClassifierModel(StateDict.read(file))
/// let b4 = try ClassifierModel(StateDict.read(other))
/// let ensemble = Ensemble([.init("b0", b0), .init("b4", b4)], frames: .mean, models: .median)
/// let assessment = try ensemble.assess(crops)
/// print(assessment.probability, assessment.members.map(\.probability))
/// ```
public struct Ensemble: FaceScorer {
  /// A scorer and its name in reports.
  public struct Member: Sendable {
    /// The member's name in reports; unique in the ensemble.
    public var name: String
    /// Gives each crop its probability of "fake".
    public var scorer: any FaceScorer

    /// Creates a member.
    public init(_ name: String, _ scorer: any FaceScorer) {
      self.name = name
      self.scorer = scorer
    }
  }

  /// The scorers; at least one.
  public var members: [Member]
  /// Combines a member's frame scores into one score.
  public var frames: any Aggregator
  /// Combines the members' scores into one score.
  public var models: any Aggregator
  /// Calibration of the members' combined score, applied to its log odds; nil: no calibration.
  public var calibration: LogitCalibration?
  /// The range to which the final probability is clipped; nil: no clipping.
  public var clip: ClosedRange<Float>?

  /// Creates an ensemble of members with different names, without calibration.
  public init(
    _ members: [Member], frames: any Aggregator = .mean, models: any Aggregator = .mean,
    clip: ClosedRange<Float>? = nil
  ) {
    precondition(!members.isEmpty, "Ensemble: there are no members")
    precondition(
      Set(members.map(\.name)).count == members.count, "Ensemble: two members have the same name")
    self.members = members
    self.frames = frames
    self.models = models
    self.clip = clip
  }

  /// Creates an ensemble whose members are named "1", "2" and so on.
  public init(
    scorers: [any FaceScorer], frames: any Aggregator = .mean, models: any Aggregator = .mean,
    clip: ClosedRange<Float>? = nil
  ) {
    self.init(
      scorers.enumerated().map { Member(String($0.offset + 1), $0.element) },
      frames: frames, models: models, clip: clip)
  }

  /// Scores one person's crops with all members and combines the scores.
  ///
  /// Throws the members' errors, and `EnsembleError` if there are no crops or a member's result is
  /// not a list of probabilities.
  public func assess(_ crops: [Image]) throws -> Assessment {
    guard !crops.isEmpty else { throw EnsembleError.noCrops }
    return combine(
      try members.map { member in
        MemberScores(name: member.name, frames: try member.scores(crops))
      })
  }

  /// Combines frame scores that were computed before. Use it to try other aggregators without
  /// running the networks again. Every member has at least one score.
  public func combine(_ scores: [MemberScores]) -> Assessment { combination(scores) }

  /// The ensemble's rules for combining scores, without its members.
  package var combination: ScoreCombination {
    ScoreCombination(frames: frames, models: models, calibration: calibration, clip: clip)
  }

  /// One score per crop: `models` combines the members' scores of the crop, without calibration or
  /// clipping. A member that judges all crops together contributes its single score to each crop.
  public func scores(_ crops: [Image]) throws -> [Float] {
    guard !crops.isEmpty else { return [] }
    let all = try members.map { try $0.scoreOfEach(crops) }
    return crops.indices.map { i in models.aggregate(all.map { $0[i] }) }
  }
}

extension Ensemble.Member {
  /// Scores a person's crops and checks the result: one score per crop, or one for all of them.
  ///
  /// Throws the scorer's errors, and `EnsembleError` if its result is not a list of probabilities.
  public func scores(_ crops: [Image]) throws -> [Float] {
    let scores = try scorer.scores(crops)
    try check(scores, crops: crops.count)
    return scores
  }

  /// One score per crop; a scorer that judges the crops together gives each of them the same score.
  package func scoreOfEach(_ crops: [Image]) throws -> [Float] {
    let scores = try scores(crops)
    return scores.count == crops.count
      ? scores : [Float](repeating: scores[0], count: crops.count)
  }

  /// Throws `EnsembleError` unless `scores` holds `crops` probabilities, or a single one for all
  /// crops.
  package func check(_ scores: [Float], crops: Int) throws(EnsembleError) {
    guard scores.count == crops || scores.count == 1 else {
      throw .scoreCount(member: name, found: scores.count, crops: crops)
    }
    if let strange = scores.first(where: { !($0 >= 0 && $0 <= 1) }) {
      throw .notProbability(member: name, score: strange)
    }
  }
}

/// A member's scores of one person's crops.
public struct MemberScores: Sendable, Equatable {
  /// The member's name.
  public var name: String
  /// One probability per crop, or a single one for all crops.
  public var frames: [Float]

  /// Creates a member's scores.
  public init(name: String, frames: [Float]) {
    self.name = name
    self.frames = frames
  }
}

extension [MemberScores] {
  /// Regroups the scores by member: each of `rows` holds all members' scores of one crop.
  package init(_ rows: some Collection<[Float]>, members names: [String]) {
    self = names.indices.map { member in
      MemberScores(name: names[member], frames: rows.map { $0[member] })
    }
  }
}

/// An ensemble's result for one person, with the members' scores that led to it.
public struct Assessment: Sendable, Equatable {
  /// One member's result.
  public struct Member: Sendable, Equatable {
    /// The member's name.
    public var name: String
    /// The member's probability for each crop, or a single one for all crops.
    public var frames: [Float]
    /// The member's probability for the person: its frame scores combined.
    public var probability: Float
  }

  /// The members in the ensemble's order.
  public var members: [Member]
  /// The ensemble's probability of "fake", after calibration and clipping.
  public var probability: Float
}

/// Why an ensemble has no result.
public enum EnsembleError: Error, Sendable, Equatable, CustomStringConvertible {
  /// There were no crops to judge.
  case noCrops
  /// A member returned a list of scores of the wrong length.
  case scoreCount(member: String, found: Int, crops: Int)
  /// A member returned a score outside of 0...1.
  case notProbability(member: String, score: Float)

  /// The message to show to users.
  public var description: String {
    switch self {
    case .noCrops: "there are no face crops to judge."
    case .scoreCount(let member, let found, let crops):
      "member \(member) gave \(found) scores for \(crops) crops; it must give one score per crop"
        + " or one for all."
    case .notProbability(let member, let score):
      "member \(member) gave the score \(score), which is not between 0 and 1; its weights may be"
        + " damaged."
    }
  }
}
