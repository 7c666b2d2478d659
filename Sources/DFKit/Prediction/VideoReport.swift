import Classifiers
import FaceDetect

/// What was seen in one file, video or image, and what was made of it.
public struct VideoReport: Sendable, Equatable {
  /// One member's answer.
  public struct MemberScore: Sendable, Equatable {
    /// The member's name in the recipe.
    public var name: String
    /// Its probability of manipulation, over all frames.
    public var probability: Float

    /// An answer.
    public init(name: String, probability: Float) {
      self.name = name
      self.probability = probability
    }
  }

  /// One judged face.
  public struct FrameScore: Sendable, Equatable {
    /// The frame's time in seconds; 0 for an image.
    public var time: Double
    /// The number of the person whose face it is.
    public var person: Int
    /// The face's box in pixels of the frame.
    public var box: Box
    /// The members' scores of the face, in the recipe's order; a member that judges the faces together
    /// counts with its one score for each.
    public var scores: [MemberScore]
    /// What the face is like, by the members whose weights say what is familiar.
    public var measures: [MemberMeasures] = []

    /// A judged face.
    public init(time: Double, person: Int, box: Box, scores: [MemberScore]) {
      self.time = time
      self.person = person
      self.box = box
      self.scores = scores
    }
  }

  /// What a member measured of a face.
  public struct MemberMeasures: Sendable, Equatable {
    /// The member's name in the recipe.
    public var name: String
    /// The face's measures, trait by trait.
    public var measures: FamiliarityMeasures

    /// One member's measures of a face.
    public init(name: String, measures: FamiliarityMeasures) {
      self.name = name
      self.measures = measures
    }
  }

  /// How far a face may be from those that a member learned from.
  public struct MemberLimits: Sendable, Equatable {
    /// The member's name in the recipe.
    public var name: String
    /// The last familiar value of each trait.
    public var limits: FamiliarityLimits

    /// One member's limits.
    public init(name: String, limits: FamiliarityLimits) {
      self.name = name
      self.limits = limits
    }
  }

  /// The file.
  public var file: String
  /// The answer.
  public var verdict: Verdict
  /// Whether the probability is calibrated; nil where that is not known.
  public var isCalibrated: Bool?
  /// How faces were looked for.
  public var search = FaceSearchFacts()
  /// Frames that were decoded and searched for faces.
  public var frames: Int = 0
  /// Those of them with a face.
  public var facesFound: Int = 0
  /// The members' answers, in the recipe's order: what the same rule makes of that member alone.
  public var members: [MemberScore] = []
  /// The people whose faces were judged, by number.
  public var people: [Person] = []
  /// The judged faces in order of time.
  public var frameScores: [FrameScore] = []
  /// What is familiar to the members whose weights say so; empty where none do.
  public var limits: [MemberLimits] = []
  /// How like those learned from the faces are that count for the verdict; nil where no member
  /// knows or the recipe does not ask.
  public var familiarity: FaceFamiliarity?
  /// What was odd about the file though it could be used, such as a cut-off end.
  public var warnings: [String] = []
  /// Why the file could not be answered; nil when it was.
  public var error: String?
  /// How long it took.
  public var seconds: Double = 0

  /// A report that says nothing yet but the verdict.
  public init(file: String, verdict: Verdict) {
    self.file = file
    self.verdict = verdict
  }
}

extension VideoReport {
  /// The report as `dfkit predict --json` prints it (see `Docs/Formats.md`).
  public var json: JSON {
    var members: [JSON.Member] = [
      .init(key: "file", value: .string(file)),
      .init(key: "verdict", value: .string(verdict.name)),
      .init(key: "probability", value: .number(verdict.probability)),
      .init(key: "reason", value: .string(verdict.reason?.name)),
      .init(key: "detector", value: search.json),
      .init(key: "frames", value: .integer(frames)),
      .init(key: "facesFound", value: .integer(facesFound)),
      .init(key: "members", value: .array(self.members.map(\.json))),
      .init(key: "people", value: .array(people.map(\.json))),
      .init(key: "frameScores", value: .array(frameScores.map(\.json))),
      .init(key: "seconds", value: .double((seconds * 1000).rounded() / 1000)),
    ]
    if let isCalibrated {
      members.insert(.init(key: "calibrated", value: .bool(isCalibrated)), at: 4)
    }
    if !warnings.isEmpty {
      members.append(.init(key: "warnings", value: .array(warnings.map { .string($0) })))
    }
    if let error { members.append(.init(key: "error", value: .string(error))) }
    return .object(members)
  }
}

extension VideoReport.FrameScore {
  var json: JSON {
    [
      "time": .seconds(time), "person": .integer(person), "box": box.json,
      "scores": .object(scores.map { .init(key: $0.name, value: .number($0.probability)) }),
    ]
  }
}

extension Box {
  /// `[x1, y1, x2, y2]`.
  var json: JSON { .numbers([x1, y1, x2, y2]) }
}
