import FaceDetect

extension VideoReport {
  /// One person of a file, and what was made of them.
  public struct Person: Sendable, Equatable, Identifiable {
    /// A stretch of time in which the face looked manipulated.
    public struct Span: Sendable, Equatable {
      /// Seconds: the first of its faces.
      public var from: Double
      /// Seconds: the last of its faces.
      public var to: Double
      /// Seconds: the face that looked most manipulated.
      public var peak: Double
      /// The ensemble's probability for that face.
      public var probability: Float

      /// A stretch of time.
      public init(from: Double, to: Double, peak: Double, probability: Float) {
        self.from = from
        self.to = to
        self.peak = peak
        self.probability = probability
      }
    }

    /// A face by which the person can be told from others.
    public struct Sample: Sendable, Equatable {
      /// Seconds; 0 for an image.
      public var time: Double
      /// The face's box in pixels of the frame.
      public var box: Box
      /// The detector's score.
      public var score: Float

      /// A face.
      public init(time: Double, box: Box, score: Float) {
        self.time = time
        self.box = box
        self.score = score
      }
    }

    /// 1 for the person seen first, then upwards; of those who appear in one frame, from left to
    /// right.
    public var id: Int
    /// The answer; undecided where the face was judged in too few frames.
    public var verdict: Verdict
    /// Whether the person counts for the file's verdict: not where the face was judged too seldom.
    public var counts = true
    /// Frames in which the person was seen.
    public var framesSeen: Int
    /// Frames in which the face was judged: fewer where the recipe judges some of a frame's faces
    /// only.
    public var framesJudged: Int
    /// Seconds: the first frame with the person; 0 for an image.
    public var firstTime: Double
    /// Seconds: the last frame with the person.
    public var lastTime: Double
    /// The face that the detector was surest of.
    public var surest: Sample
    /// The members' answers, in the recipe's order; empty when undecided.
    public var members: [MemberScore]
    /// When the face looked manipulated: judged faces one after the other that the members,
    /// aggregated, give 0.5 or more.
    public var fakeSpans: [Span]
    /// How like those learned from the person's faces are; nil where no member knows, the recipe
    /// does not ask, or the person was not judged.
    package var familiarity: FaceFamiliarity?

    /// A person who was seen and not judged yet.
    public init(
      id: Int, verdict: Verdict, framesSeen: Int, framesJudged: Int, firstTime: Double,
      lastTime: Double, surest: Sample, members: [MemberScore] = [], fakeSpans: [Span] = []
    ) {
      self.id = id
      self.verdict = verdict
      self.framesSeen = framesSeen
      self.framesJudged = framesJudged
      self.firstTime = firstTime
      self.lastTime = lastTime
      self.surest = surest
      self.members = members
      self.fakeSpans = fakeSpans
    }
  }
}

extension [VideoReport.Person.Span] {
  /// The runs of scores of 0.5 or more, of one person's faces in the order of time.
  init(_ faces: [(time: Double, probability: Float)]) {
    self = []
    var isOpen = false
    for face in faces {
      guard face.probability >= 0.5 else {
        isOpen = false
        continue
      }
      if !isOpen {
        append(
          .init(
            from: face.time, to: face.time, peak: face.time, probability: face.probability))
        isOpen = true
        continue
      }
      self[count - 1].to = face.time
      if face.probability > self[count - 1].probability {
        self[count - 1].peak = face.time
        self[count - 1].probability = face.probability
      }
    }
  }
}

extension VideoReport.Person {
  /// The person as `dfkit predict --json` prints it.
  var json: JSON {
    let json: JSON = [
      "id": .integer(id), "verdict": .string(verdict.answer.rawValue),
      "probability": .number(verdict.probability), "reason": .string(verdict.reason?.name),
      "counts": .bool(counts),
      "first": .seconds(firstTime), "last": .seconds(lastTime), "frames": .integer(framesSeen),
      "judged": .integer(framesJudged),
      "surest": [
        "time": .seconds(surest.time), "box": surest.box.json, "score": .number(surest.score),
      ], "members": .array(members.map(\.json)),
      "fakeSpans": .array(fakeSpans.map(\.json)),
    ]
    guard let familiarity, case .object(let members) = json else { return json }
    return .object(members + [.init(key: "familiarity", value: familiarity.json)])
  }
}

extension VideoReport.Person.Span {
  var json: JSON {
    [
      "from": .seconds(from), "to": .seconds(to), "peak": .seconds(peak),
      "probability": .number(probability),
    ]
  }
}

extension VideoReport.MemberScore {
  var json: JSON { ["name": .string(name), "probability": .number(probability)] }
}

extension JSON {
  /// A time, to the microsecond.
  static func seconds(_ time: Double) -> JSON { .double((time * 1e6).rounded() / 1e6) }
}
