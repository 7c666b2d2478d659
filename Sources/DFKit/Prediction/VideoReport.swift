import FaceDetect

/// The faces of one video or image, and the verdict on it.
///
/// ```swift
/// let report = try predictor.predict(clip)
/// print("\(report.facesFound) faces in \(report.frames) frames: \(report.verdict.answer)")
/// for person in report.people { print(person.id, person.verdict, person.fakeSpans) }
/// for warning in report.warnings { print(warning) }
/// ```
public struct VideoReport: Sendable, Equatable {
  /// The probability by one member alone.
  public struct MemberScore: Sendable, Equatable {
    /// The member's name in the recipe.
    public var name: String
    /// The member's probability of "fake", over all frames.
    public var probability: Float

    /// A member's name and probability.
    public init(name: String, probability: Float) {
      self.name = name
      self.probability = probability
    }
  }

  /// The path, as it was given.
  public var file: String
  /// The verdict on the file.
  public var verdict: Verdict
  /// Whether the probability is calibrated; nil if unknown.
  public var isCalibrated: Bool?
  /// The detector and how it was used.
  package var search = FaceSearchFacts()
  /// The number of frames that were decoded and searched for faces.
  public var frames: Int = 0
  /// The number of these frames with at least one face.
  public var facesFound: Int = 0
  /// The file's probability by each member alone, by the same rule, in the recipe's order.
  public var members: [MemberScore] = []
  /// The people whose faces were chosen for scoring, by `id`.
  public var people: [Person] = []
  /// The scored faces in the order of time, with each member's scores. Empty if there were too few
  /// faces for a verdict.
  package var scores = ScoreTable()
  /// How similar the faces that count for the verdict are to the training data. Nil if no member
  /// has limits or the recipe ignores familiarity.
  package var familiarity: FaceFamiliarity?
  /// Problems that did not stop the prediction, such as a truncated file.
  public var warnings: [String] = []
  /// Why the file could not be judged; nil if it was.
  public var error: String?
  /// The duration of the prediction, in seconds.
  public var seconds: Double = 0

  /// A report with nothing but a verdict.
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
