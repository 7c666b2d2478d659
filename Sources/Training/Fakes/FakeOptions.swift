import DeepfakeCore
import FaceData
import Settings

/// Options of the fakes that training makes out of real faces: how they are made, how many, and
/// whether validation uses them too.
public struct FakeOptions: Sendable, Equatable {
  /// A method of making fakes.
  public enum Kind: String, Sendable, CaseIterable {
    /// A copy of a face is blended into another copy, see `SelfBlending`.
    case selfBlended = "self-blended"
  }

  /// The method of making fakes.
  public var kind = Kind.selfBlended
  /// The fraction of the fakes in training that are made, 0 to 1. If the data has no fakes, all are
  /// made.
  public var share: Float = 0.5
  /// The settings of self-blending.
  public var blending = SelfBlending()
  /// Whether validation uses made fakes even if the validation part has fakes. If it has none, made
  /// fakes are always used.
  public var validate = false

  /// Options by which half of the fakes are made, by self-blending.
  public init() {}

  /// The samples to validate on: the validation part itself, or with a made fake for each suitable
  /// real face.
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
        from the brows to the mouth; `lower`: from the nose to the chin; `ellipse`: an ellipse \
        over the face
        """)
    try fields.value(
      "validate", &validate, .flag,
      "Whether validation uses made fakes even if the validation part has fakes of its own.",
      more: "If it has none, made fakes are always used")
  }
}
