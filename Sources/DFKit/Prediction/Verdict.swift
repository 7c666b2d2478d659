import Classifiers

/// The answer on a file.
///
/// ```swift
/// switch report.verdict {
/// case .real(let probability): print("real: P(fake) = \(probability)")
/// case .fake(let probability): print("fake: P(fake) = \(probability)")
/// case .undecided(let reason): print("undecided: \(reason.words)")
/// }
/// ```
public enum Verdict: Sendable, Equatable {
  /// Rather manipulated: the probability of that is 0.5 or more.
  case fake(probability: Float)
  /// Rather not: the probability of manipulation is below 0.5.
  case real(probability: Float)
  /// There is nothing to base an answer on, or what there is does not suffice.
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
    /// The probability lies in the range that the recipe calls undecided.
    case unsure(probability: Float)
    /// Most faces are unlike those that the networks learned from, by these traits: the probability
    /// is worth nothing.
    case unfamiliar(probability: Float, traits: [FamiliarityTrait])
  }

  /// The verdict that a probability of manipulation means; in the range `undecided`, both ends
  /// included, none.
  public init(probability: Float, undecided: ClosedRange<Float>? = nil) {
    if undecided?.contains(probability) == true {
      self = .undecided(.unsure(probability: probability))
    } else {
      self = probability >= 0.5 ? .fake(probability: probability) : .real(probability: probability)
    }
  }

  /// The probability of manipulation, also where it is too close to one half for an answer or the
  /// faces are unlike those learned from; nil where there is none.
  public var probability: Float? {
    switch self {
    case .fake(let probability), .real(let probability), .undecided(.unsure(let probability)),
      .undecided(.unfamiliar(let probability, _)):
      probability
    case .undecided: nil
    }
  }

  /// The answer without its probability and reason.
  public var answer: Answer {
    switch self {
    case .fake: .fake
    case .real: .real
    case .undecided: .undecided
    }
  }

  /// What a verdict can be. The raw values are the words in JSON and tables.
  public enum Answer: String, Sendable {
    /// Rather manipulated.
    case fake
    /// Rather not.
    case real
    /// Neither.
    case undecided
  }

  /// Why there is no answer; nil when there is one.
  public var reason: Reason? {
    if case .undecided(let reason) = self { reason } else { nil }
  }

  /// Whether there is no answer because the faces are unlike those learned from.
  var isUnfamiliar: Bool {
    if case .undecided(.unfamiliar) = self { true } else { false }
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
    case .unsure: "unsure"
    case .unfamiliar: "unfamiliar"
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
    case .unsure: "too close to call"
    case .unfamiliar(_, let traits): traits.unfamiliarWords
    }
  }
}
