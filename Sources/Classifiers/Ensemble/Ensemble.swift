import DeepfakeCore

/// Several scorers that judge the same crops, and the way to one answer.
///
/// Each member's frame scores become its own score by `frames`, the members' scores become the
/// ensemble's by `models`, `calibration` makes that honest, and `clip` keeps the answer from
/// certainty, which log loss punishes.
///
/// ```swift
/// let b0 = try ClassifierModel(StateDict.read(file))
/// let b4 = try ClassifierModel(StateDict.read(other))
/// let ensemble = Ensemble([.init("b0", b0), .init("b4", b4)], frames: .mean, models: .median)
/// let assessment = try ensemble.assess(crops)
/// print(assessment.probability, assessment.members.map(\.probability))
/// ```
public struct Ensemble: FaceScorer {
  /// A scorer with the name that reports give it.
  public struct Member: Sendable {
    /// What reports call it.
    public var name: String
    /// What gives crops their probabilities.
    public var scorer: any FaceScorer

    /// A named scorer.
    public init(_ name: String, _ scorer: any FaceScorer) {
      self.name = name
      self.scorer = scorer
    }
  }

  /// The scorers, at least one.
  public var members: [Member]
  /// Makes one score out of a member's frame scores.
  public var frames: any Aggregator
  /// Makes one score out of the members' scores.
  public var models: any Aggregator
  /// What makes the members' common score a probability, applied to its log odds; nil leaves it as
  /// it is.
  public var calibration: LogitCalibration?
  /// The range that the final probability is held in; nil leaves it as it is.
  public var clip: ClosedRange<Float>?

  /// An ensemble of named members.
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

  /// An ensemble whose members are called 1, 2, ...
  public init(
    scorers: [any FaceScorer], frames: any Aggregator = .mean, models: any Aggregator = .mean,
    clip: ClosedRange<Float>? = nil
  ) {
    self.init(
      scorers.enumerated().map { Member(String($0.offset + 1), $0.element) },
      frames: frames, models: models, clip: clip)
  }

  /// What the members said of one person's crops.
  ///
  /// Throws what a member throws, and `EnsembleError` when there are no crops or a member's answer
  /// is not a list of probabilities.
  public func assess(_ crops: [Image]) throws -> Assessment {
    guard !crops.isEmpty else { throw EnsembleError.noCrops }
    return combine(
      try members.map { member in
        MemberScores(name: member.name, frames: try member.scores(crops))
      })
  }

  /// The assessment that frame scores computed before lead to, so that other aggregators can be
  /// tried without running a network again. Every member has at least one score.
  public func combine(_ scores: [MemberScores]) -> Assessment { combination(scores) }

  /// What the ensemble does once its members have judged.
  package var combination: ScoreCombination {
    ScoreCombination(frames: frames, models: models, calibration: calibration, clip: clip)
  }

  /// One score a crop: the members' scores of it, aggregated by `models`, neither calibrated nor
  /// clipped. A member that judges the crops together counts with its one score for each.
  public func scores(_ crops: [Image]) throws -> [Float] {
    guard !crops.isEmpty else { return [] }
    let all = try members.map { try $0.scoreOfEach(crops) }
    return crops.indices.map { i in models.aggregate(all.map { $0[i] }) }
  }
}

extension Ensemble.Member {
  /// The member's scores of a person's crops, checked: one a crop, or a single one for all.
  ///
  /// Throws what the scorer throws, and `EnsembleError` where its answer is not a list of
  /// probabilities.
  public func scores(_ crops: [Image]) throws -> [Float] {
    let scores = try scorer.scores(crops)
    try check(scores, crops: crops.count)
    return scores
  }

  /// One score for each of a person's crops: where the crops are judged together, the same for all.
  package func scoreOfEach(_ crops: [Image]) throws -> [Float] {
    let scores = try scores(crops)
    return scores.count == crops.count
      ? scores : [Float](repeating: scores[0], count: crops.count)
  }

  /// Throws `EnsembleError` unless there is a probability for each of so many crops, or a single
  /// one for all.
  package func check(_ scores: [Float], crops: Int) throws(EnsembleError) {
    guard scores.count == crops || scores.count == 1 else {
      throw .scoreCount(member: name, found: scores.count, crops: crops)
    }
    if let strange = scores.first(where: { !($0 >= 0 && $0 <= 1) }) {
      throw .notProbability(member: name, score: strange)
    }
  }
}

/// One member's scores of a person's crops.
public struct MemberScores: Sendable, Equatable {
  /// The member's name.
  public var name: String
  /// One probability a crop, or a single one for all.
  public var frames: [Float]

  /// A member's scores.
  public init(name: String, frames: [Float]) {
    self.name = name
    self.frames = frames
  }
}

extension [MemberScores] {
  /// Each member's scores, out of lists of the members' scores of each crop.
  package init(_ rows: some Collection<[Float]>, members names: [String]) {
    self = names.indices.map { member in
      MemberScores(name: names[member], frames: rows.map { $0[member] })
    }
  }
}

/// What an ensemble says of one person, with all that led to it.
public struct Assessment: Sendable, Equatable {
  /// What one member says.
  public struct Member: Sendable, Equatable {
    /// The member's name.
    public var name: String
    /// Its probability for each crop, or a single one for all.
    public var frames: [Float]
    /// Its probability for the person.
    public var probability: Float
  }

  /// The members in the ensemble's order.
  public var members: [Member]
  /// The ensemble's probability of "fake", clipped if the ensemble clips.
  public var probability: Float
}

/// Why an ensemble has no answer.
public enum EnsembleError: Error, Sendable, Equatable, CustomStringConvertible {
  /// There was nothing to judge.
  case noCrops
  /// A member's list of scores has the wrong length.
  case scoreCount(member: String, found: Int, crops: Int)
  /// A member's score is not in 0...1.
  case notProbability(member: String, score: Float)

  /// The message for people.
  public var description: String {
    switch self {
    case .noCrops: "there are no face crops to judge."
    case .scoreCount(let member, let found, let crops):
      "member \(member) gave \(found) scores for \(crops) crops; it must give one a crop or one"
        + " for all."
    case .notProbability(let member, let score):
      "member \(member) gave the score \(score), which is no probability; its weights may be"
        + " damaged."
    }
  }
}
