/// How the learning rate changes in the course of training.
public struct ScheduleOptions: Sendable, Equatable {
  /// The schedules that a recipe can name.
  public enum Kind: String, Sendable, CaseIterable {
    /// Times `factor` whenever the validation loss has not fallen for `patience` epochs.
    case plateau
    /// Down to `minRate` along half a cosine.
    case cosine
    /// Times `factor` every `every` epochs.
    case step
    /// Down to 0 along (1 - t) to the power of `power`.
    case poly
    /// Always the same.
    case constant
  }

  /// The schedule.
  public var kind: Kind = .plateau
  /// What the rate is multiplied by (plateau, step).
  public var factor: Float = 0.5
  /// Epochs without a lower validation loss that are put up with (plateau).
  public var patience: Int = 2
  /// By what part the loss must be lower to count as such (plateau).
  public var threshold: Float = 1e-4
  /// Epochs between two falls (step).
  public var every: Int = 5
  /// The power (poly).
  public var power: Float = 1
  /// The lowest rate (plateau, cosine).
  public var minRate: Float = 0
  /// Epochs at the beginning in which the rate rises from nearly nothing to its first value; may be a
  /// fraction.
  public var warmUp: Float = 0

  /// Halved after two epochs without progress.
  public init() {}
}
