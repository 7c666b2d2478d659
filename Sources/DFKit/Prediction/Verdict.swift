/// The answer on a file.
public enum Verdict: Sendable, Equatable {
  /// Rather manipulated: the probability of that is 0.5 or more.
  case fake(probability: Float)
  /// Rather not: the probability of manipulation is below 0.5.
  case real(probability: Float)
  /// There is nothing to base an answer on.
  case undecided(Reason)

  /// Why there is no answer.
  public enum Reason: Sendable, Equatable {
    /// No face was found in any frame.
    case noFaces
    /// Faces were found in fewer frames than the recipe asks for.
    case tooFewFaces(found: Int, needed: Int)
    /// The file cannot be read as an image or a video.
    case unreadable
    /// The file was read, and then something else went wrong.
    case failed
  }

  /// The verdict that a probability of manipulation means.
  public init(probability: Float) {
    self = probability >= 0.5 ? .fake(probability: probability) : .real(probability: probability)
  }

  /// The probability of manipulation; nil when undecided.
  public var probability: Float? {
    switch self {
    case .fake(let probability), .real(let probability): probability
    case .undecided: nil
    }
  }

  /// `fake`, `real` or `undecided`.
  public var name: String {
    switch self {
    case .fake: "fake"
    case .real: "real"
    case .undecided: "undecided"
    }
  }

  /// Why there is no answer; nil when there is one.
  public var reason: Reason? {
    if case .undecided(let reason) = self { reason } else { nil }
  }
}

extension Verdict.Reason {
  /// The word for it in JSON.
  public var name: String {
    switch self {
    case .noFaces: "noFaces"
    case .tooFewFaces: "tooFewFaces"
    case .unreadable: "unreadable"
    case .failed: "failed"
    }
  }

  /// The words for people.
  public var words: String {
    switch self {
    case .noFaces: "no face found"
    case .tooFewFaces(let found, let needed):
      "faces in \(found) frame\(found == 1 ? "" : "s") only, \(needed) needed"
    case .unreadable: "unreadable"
    case .failed: "failed"
    }
  }
}
