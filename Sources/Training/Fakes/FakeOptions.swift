import DeepfakeCore
import FaceData
import Settings

/// Fakes that training makes out of real faces: which, how many, and whether they are judged by
/// too.
public struct FakeOptions: Sendable, Equatable {
  /// How fakes are made.
  public enum Kind: String, Sendable, CaseIterable {
    /// One copy of a face is blended into another, see `SelfBlending`.
    case selfBlended = "self-blended"
  }

  /// How they are made.
  public var kind = Kind.selfBlended
  /// The part of the fakes shown in training that are made, from 0 to 1. Where the data have no
  /// fakes, all are.
  public var share: Float = 0.5
  /// What is done to make them.
  public var blending = SelfBlending()
  /// Whether made fakes are judged by although the validation part has fakes. Where it has none,
  /// they are in any case.
  public var validate = false

  /// Half of the fakes made by self-blending.
  public init() {}

  /// What a validation part is judged by: the samples as they are, or with a made fake of each real
  /// face that can be made into one.
  public func judged(_ validation: FaceManifest) -> FaceManifest {
    validate || validation.count(.fake) == 0 ? validation.withMadeFakes() : validation
  }
}

extension FakeOptions: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value("kind", &kind, .choice, "How fakes are made.")
    try fields.value(
      "share", &share, .number(in: 0...1),
      "The fraction of made fakes among the fakes in training; all are made if the data has none.")
    try fields.value(
      "donor", &blending.donor, .number(in: 0...1),
      "The probability that the face that is blended in is another person's.")
    try fields.value(
      "colorMatch", &blending.colorMatch, .number(in: 0...1),
      "The probability that such a face gets the colours of the face that it replaces.")
    try fields.value(
      "softness", &blending.softness, .number(in: 0...1),
      "The probability that the face that is blended in is reduced to few pixels.")
    try fields.value(
      "softnessWidth", &blending.softnessWidth,
      .range(in: 4...4096, "the second not less than the first") { $0 <= $1 },
      "The width of that reduced face from cheek to cheek, in pixels.")
    try fields.value(
      "strength", &blending.strength, .number(in: 0...4),
      "How much the colours and the sharpness of the two faces differ; 1 is the usual amount.")
    try fields.value(
      "parts", &blending.parts, .some(), "The parts of a face to replace, each equally likely.",
      more: """
        `face`: from the forehead to the chin; `inner`: from the brows to the chin; `features`: \
        from the brows to the mouth; `lower`: from the nose to the chin
        """)
    try fields.value(
      "validate", &validate, .flag,
      "Whether validation uses made fakes even if the validation part has fakes of its own.",
      more: "If it has none, made fakes are always used")
  }
}
