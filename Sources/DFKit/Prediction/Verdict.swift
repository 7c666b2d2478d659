import Classifiers

/// The answer on a file or a person.
///
/// ```swift
/// switch report.verdict {
/// case .real(let probability): print("real: P(fake) = \(probability)")
/// case .fake(let probability): print("fake: P(fake) = \(probability)")
/// case .undecided(let reason): print("undecided: \(reason.words)")
/// }
/// ```
public enum Verdict: Sendable, Equatable {
  /// Probably fake: the probability is 0.5 or more.
  case fake(probability: Float)
  /// Probably real: the probability of "fake" is below 0.5.
  case real(probability: Float)
  /// No answer, for the given reason.
  case undecided(Reason)

  /// Why there is no answer.
  public enum Reason: Sendable, Equatable {
    /// No face was found in any frame.
    case noFaces
    /// Faces were found in fewer frames than the recipe requires.
    case tooFewFaces(found: Int, needed: Int)
    /// The file cannot be read as an image or a video.
    case unreadable
    /// The file could be read, but another error occurred.
    case failed
    /// The probability is in the recipe's undecided range.
    case unsure(probability: Float)
    /// Most faces are unlike the training data of the networks, in these traits, so the probability
    /// is not reliable.
    case unfamiliar(probability: Float, traits: [FamiliarityTrait])
  }

  /// The verdict for a probability of "fake": undecided in the range `undecided`, both ends
  /// included, otherwise fake from 0.5 on.
  public init(probability: Float, undecided: ClosedRange<Float>? = nil) {
    if undecided?.contains(probability) == true {
      self = .undecided(.unsure(probability: probability))
    } else {
      self = probability >= 0.5 ? .fake(probability: probability) : .real(probability: probability)
    }
  }

  /// The probability of "fake". Also set if the verdict is undecided because of the range or of
  /// unfamiliar faces; otherwise nil for undecided verdicts.
  public var probability: Float? {
    switch self {
    case .fake(let probability), .real(let probability), .undecided(.unsure(let probability)),
      .undecided(.unfamiliar(let probability, _)):
      probability
    case .undecided: nil
    }
  }

  /// The answer without probability and reason.
  public var answer: Answer {
    switch self {
    case .fake: .fake
    case .real: .real
    case .undecided: .undecided
    }
  }

  /// The possible answers. The raw values are the words in JSON and tables.
  public enum Answer: String, Sendable {
    /// Probably fake.
    case fake
    /// Probably real.
    case real
    /// No answer.
    case undecided
  }

  /// Why there is no answer; nil if there is one.
  public var reason: Reason? {
    if case .undecided(let reason) = self { reason } else { nil }
  }

  /// Whether there is no answer because the faces are unlike the training data.
  var isUnfamiliar: Bool {
    if case .undecided(.unfamiliar) = self { true } else { false }
  }
}

extension Verdict.Reason {
  /// The reason's name in JSON.
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

  /// The reason in words, for tables and pages.
  public var words: String {
    switch self {
    case .noFaces: "no face found"
    case .tooFewFaces(let found, let needed):
      "only \(found) frame\(found == 1 ? "" : "s") with a face, \(needed) needed"
    case .unreadable: "unreadable"
    case .failed: "failed"
    case .unsure: "too close to 0.5"
    case .unfamiliar(_, let traits): traits.unfamiliarWords
    }
  }
}
