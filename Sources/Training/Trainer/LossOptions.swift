/// What training makes small.
public struct LossOptions: Sendable, Equatable {
  /// The losses that a recipe can name.
  public enum Kind: String, Sendable, CaseIterable {
    /// Binary cross-entropy.
    case bce
    /// Focal loss (Lin et al. 2017): binary cross-entropy with less weight on what is easy.
    case focal
  }

  /// The loss.
  public var kind: Kind = .bce
  /// How far labels are moved towards one half: with 0.1, they are 0.05 and 0.95.
  public var labelSmoothing: Float = 0
  /// What an error on a fake counts, where one on a real picture counts 1; nil for alike.
  public var fakeWeight: Float?
  /// The focal loss's exponent.
  public var gamma: Float = 2
  /// The focal loss's weight of fakes, 1 minus it being that of real pictures; nil for neither.
  public var alpha: Float?

  /// Binary cross-entropy.
  public init() {}
}
