/// Why a classifier cannot be loaded or used.
public enum ClassifierError: Error, Sendable, CustomStringConvertible {
  /// The network does not have one or two outputs, so none is known to mean "fake".
  case noProbability(classes: Int)
  /// The file's keys do not show which scheme or architecture it has.
  case unrecognised(file: String, what: String, choices: [String])
  /// A setting in the file's metadata or the caller's options is invalid.
  case invalidSetting(file: String, name: String, reason: String)

  /// The file holds a sequence network, which gives no score to a single crop.
  case sequence(file: String)

  /// The message to show to users.
  public var description: String {
    switch self {
    case .noProbability(let classes):
      "a network with \(classes) classes gives no probability that a face is fake: only networks"
        + " with one class (a logit) or two (real, fake) do. Its logits can still be read."
    case .unrecognised(let file, let what, let choices):
      "\(file): cannot recognise the \(what) from the keys. Name it, one of "
        + choices.joined(separator: ", ") + "."
    case .sequence(let file):
      "\(file): is a sequence network, which judges all frames of a person together. Use it as a"
        + " member of a recipe, in 'predict' and 'evaluate'."
    case .invalidSetting(let file, let name, let reason):
      "\(file): the \(name) \(reason)"
    }
  }
}
