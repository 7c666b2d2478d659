import DeepfakeCore
import Settings

/// The loss that training minimises.
///
/// ```swift
/// var loss = LossOptions()
/// loss.kind = .focal(gamma: 2)
/// loss.labelSmoothing = 0.1
/// let value = loss(logits, labels)  // logits [n, 1], labels [n]: 1 is fake
/// ```
public struct LossOptions: Sendable, Equatable {
  /// The available losses with their settings.
  public enum Kind: Sendable, Equatable {
    /// Binary cross-entropy. `fakeWeight` is the weight of an error on a fake, relative to one on a
    /// real picture; nil: both classes weigh the same.
    case bce(fakeWeight: Float? = nil)
    /// Focal loss (Lin et al. 2017): binary cross-entropy that gives easy samples less weight. A
    /// larger exponent `gamma` reduces it more. `alpha` is the weight of fakes, 1 - `alpha` that of
    /// real pictures; nil: both weigh 1.
    case focal(gamma: Float = 2, alpha: Float? = nil)
  }

  /// The loss and its settings.
  public var kind: Kind = .bce()
  /// How much labels are moved towards one half: with 0.1, they are 0.05 and 0.95.
  public var labelSmoothing: Float = 0

  /// Binary cross-entropy without smoothing.
  public init() {}

  /// The mean loss of logits, [n, 1], and targets in 0...1, [n]. Optional `weights` are [n].
  public func callAsFunction(_ logits: Tensor, _ targets: Tensor, weights: Tensor? = nil) -> Tensor
  {
    let logits = logits.reshaped(targets.shape)
    switch kind {
    case .bce(let fakeWeight):
      return logits.binaryCrossEntropy(
        targets, smoothing: labelSmoothing, positiveWeight: fakeWeight ?? 1, weights: weights)
    case .focal(let gamma, let alpha):
      let smoothed =
        targets * Tensor(scalar: 1 - labelSmoothing) + Tensor(scalar: labelSmoothing / 2)
      return logits.focalLoss(smoothed, alpha: alpha, gamma: gamma, weights: weights)
    }
  }
}

extension LossOptions: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.kind(
      "kind", &kind, "The loss.",
      more: """
        `bce`: binary cross-entropy; `focal`: the same, with less weight on samples that the \
        network already judges well
        """)
    try fields.value(
      "labelSmoothing", &labelSmoothing, .number(in: 0...0.9),
      "How far labels are moved towards 0.5.")
    try kind.describe(&fields)
  }
}

extension LossOptions.Kind: DescribedKind {
  package static var kinds: [Self] { [.bce(), .focal()] }

  package var name: String {
    switch self {
    case .bce: "bce"
    case .focal: "focal"
    }
  }

  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    switch self {
    case .bce(var fakeWeight):
      try fields.optional(
        "fakeWeight", &fakeWeight, .number(in: 1e-3...1000), hasNone: true,
        "The weight of the loss of fakes; the weight of real pictures is 1.")
      self = .bce(fakeWeight: fakeWeight)
    case .focal(var gamma, var alpha):
      try fields.value("gamma", &gamma, .number(in: 0...20), "The exponent of the focal loss.")
      try fields.optional(
        "alpha", &alpha, .number(in: 0...1), hasNone: true,
        "The weight of fakes; the weight of real pictures is 1 - alpha.")
      self = .focal(gamma: gamma, alpha: alpha)
    }
  }
}
