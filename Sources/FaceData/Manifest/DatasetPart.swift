/// A part of a dataset, as named in the column `split`.
package enum DatasetPart: String, Sendable, CaseIterable {
  /// Data that networks are trained on.
  case training = "train"
  /// Held-out data that networks are judged by during development.
  case validation = "validation"
  /// Data for the final test, not used before.
  case test = "test"
  /// Data that is not used, since it would leak from one part into another.
  case unused = "unused"

  /// The part by its name in any case. Also accepts training, val, valid, dev and testing.
  package init?(_ word: some StringProtocol) {
    switch word.lowercased() {
    case "train", "training": self = .training
    case "val", "valid", "validation", "dev": self = .validation
    case "test", "testing": self = .test
    case "unused": self = .unused
    default: return nil
    }
  }
}
