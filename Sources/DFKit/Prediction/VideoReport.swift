import FaceDetect

/// What was seen in one file, video or image, and what was made of it.
///
/// ```swift
/// let report = try predictor.predict(clip)
/// print("\(report.facesFound) faces in \(report.frames) frames: \(report.verdict.answer)")
/// for person in report.people { print(person.id, person.verdict, person.fakeSpans) }
/// for warning in report.warnings { print(warning) }
/// ```
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

  /// The path, as it was given.
  public var file: String
  /// The answer.
  public var verdict: Verdict
  /// Whether the probability is calibrated; nil where that is not known.
  public var isCalibrated: Bool?
  /// How faces were looked for.
  package var search = FaceSearchFacts()
  /// Frames that were decoded and searched for faces.
  public var frames: Int = 0
  /// Those of them with a face.
  public var facesFound: Int = 0
  /// The members' answers, in the recipe's order: what the same rule makes of that member alone.
  public var members: [MemberScore] = []
  /// The people whose faces were judged, by number.
  public var people: [Person] = []
  /// The judged faces in order of time, with what each member says of them; empty where there is
  /// nothing to base a verdict on.
  package var scores = ScoreTable()
  /// How like those learned from the faces are that count for the verdict; nil where no member
  /// knows or the recipe does not ask.
  package var familiarity: FaceFamiliarity?
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
  package var json: JSON {
    var members: [JSON.Member] = [
      .init(key: "file", value: .string(file)),
      .init(key: "verdict", value: .string(verdict.answer.rawValue)),
      .init(key: "probability", value: .number(verdict.probability)),
      .init(key: "reason", value: .string(verdict.reason?.name)),
      .init(key: "detector", value: search.json),
      .init(key: "frames", value: .integer(frames)),
      .init(key: "facesFound", value: .integer(facesFound)),
      .init(key: "members", value: .array(self.members.map(\.json))),
      .init(key: "people", value: .array(people.map(\.json))),
      .init(key: "frameScores", value: scores.json),
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

extension Box {
  /// `[x1, y1, x2, y2]`.
  var json: JSON { .numbers([x1, y1, x2, y2]) }
}
