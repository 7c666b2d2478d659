/// A part of a dataset, as the column `split` names it.
package enum DatasetPart: String, Sendable, CaseIterable {
  /// What networks learn from.
  case training = "train"
  /// What is held out to judge them by while they are made.
  case validation = "validation"
  /// What is kept for the end, and left alone until then.
  case test = "test"
  /// What is of no use: it would leak from one part into another.
  case unused = "unused"

  /// The part that a word stands for, in any case; also training, val, valid and dev.
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
