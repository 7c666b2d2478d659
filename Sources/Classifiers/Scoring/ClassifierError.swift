/// Why a classifier could not be made or asked.
public enum ClassifierError: Error, Sendable, CustomStringConvertible {
  /// The network's classes do not mean real and fake.
  case noProbability(classes: Int)
  /// The file does not show which network it is for.
  case unrecognised(file: String, what: String, choices: [String])
  /// The file's metadata or the caller's options make no sense.
  case invalidSetting(file: String, name: String, reason: String)

  /// The message for people.
  public var description: String {
    switch self {
    case .noProbability(let classes):
      "a network of \(classes) classes gives no probability of being fake: only networks of one"
        + " class"
        + " (a logit) or two (real, fake) do. Its logits can still be read."
    case .unrecognised(let file, let what, let choices):
      "\(file): cannot tell the \(what) from the keys. Name it: one of "
        + choices.joined(separator: ", ") + "."
    case .invalidSetting(let file, let name, let reason):
      "\(file): the \(name) \(reason)"
    }
  }
}
