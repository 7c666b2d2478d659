import FaceDetect

extension VideoReport {
  /// One person in a file, with the verdict on them.
  public struct Person: Sendable, Equatable, Identifiable {
    /// A time span in which the face looked fake.
    public struct Span: Sendable, Equatable {
      /// The time of its first face, in seconds.
      public var from: Double
      /// The time of its last face, in seconds.
      public var to: Double
      /// The time of the face with the highest probability, in seconds.
      public var peak: Double
      /// The combined probability of that face.
      public var probability: Float

      /// A span of neighbouring faces that look fake; times are in seconds.
      public init(from: Double, to: Double, peak: Double, probability: Float) {
        self.from = from
        self.to = to
        self.peak = peak
        self.probability = probability
      }
    }

    /// A face that shows who the person is.
    public struct Sample: Sendable, Equatable {
      /// In seconds; 0 for an image.
      public var time: Double
      /// The face's box in pixels of the frame.
      public var box: Box
      /// The detector's score.
      public var score: Float

      /// A face, its time and its score.
      public init(time: Double, box: Box, score: Float) {
        self.time = time
        self.box = box
        self.score = score
      }
    }

    /// 1 for the person seen first, then upwards; of those who appear in one frame, from left to
    /// right.
    public var id: Int
    /// The verdict; undecided if the face was scored in too few frames.
    public var verdict: Verdict
    /// Whether the person counts for the file's verdict. False if the face was scored too seldom.
    public var counts = true
    /// The number of frames in which the person was seen.
    public var framesSeen: Int
    /// The number of frames in which the face was scored. It is lower than `framesSeen` if the
    /// recipe limits the faces in each frame.
    public var framesJudged: Int
    /// The time of the first frame with the person, in seconds; 0 for an image.
    public var firstTime: Double
    /// The time of the last frame with the person, in seconds.
    public var lastTime: Double
    /// The face with the highest detector score.
    public var surest: Sample
    /// The members' probabilities, in the recipe's order. Empty if the person was not scored in
    /// enough frames.
    public var members: [MemberScore]
    /// The time spans in which the face looked fake: consecutive scored faces with a combined
    /// probability of 0.5 or more.
    public var fakeSpans: [Span]
    /// How similar the person's faces are to the training data. Nil if no member has limits, the
    /// recipe ignores familiarity, or the person has no score.
    package var familiarity: FaceFamiliarity?

    /// A person without a final verdict.
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
  /// The spans of consecutive scores of 0.5 or more. `faces` are one person's, in the order of
  /// time.
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
  /// A time in seconds, rounded to microseconds.
  static func seconds(_ time: Double) -> JSON { .double((time * 1e6).rounded() / 1e6) }
}
