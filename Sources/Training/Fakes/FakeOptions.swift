import DeepfakeCore
import FaceData

/// Fakes that training makes out of real faces: which, how many, and whether they are judged by too.
public struct FakeOptions: Sendable, Equatable {
  /// How fakes are made.
  public enum Kind: String, Sendable, CaseIterable {
    /// One copy of a face is blended into another, see `SelfBlending`.
    case selfBlended = "self-blended"
  }

  /// How they are made.
  public var kind = Kind.selfBlended
  /// The part of the fakes shown in training that are made, from 0 to 1. Where the data have no fakes, all
  /// are.
  public var share: Float = 0.5
  /// What is done to make them.
  public var blending = SelfBlending()
  /// Whether made fakes are judged by although the validation part has fakes. Where it has none, they are in
  /// any case.
  public var validate = false

  /// Half of the fakes made by self-blending.
  public init() {}

  /// What a validation part is judged by: the samples as they are, or with a made fake of each real face that
  /// can be made into one.
  public func judged(_ validation: FaceManifest) -> FaceManifest {
    validate || validation.count(.fake) == 0 ? validation.withMadeFakes() : validation
  }

  /// What of the options cannot be, nil if nothing.
  var problem: String? {
    let parts: [(String, Float)] = [
      ("share", share), ("donor", blending.donor), ("colorMatch", blending.colorMatch),
      ("softness", blending.softness),
    ]
    if let (name, _) = parts.first(where: { !(0...1).contains($0.1) }) {
      return "fakes.\(name) must be 0 to 1"
    }
    let widths = blending.softnessWidth
    guard widths.lowerBound >= 4, widths.upperBound <= 4096 else {
      return "fakes.softnessWidth must be within 4 and 4096"
    }
    guard (0...4).contains(blending.strength) else { return "fakes.strength must be 0 to 4" }
    return blending.parts.isEmpty ? "fakes.parts must name at least one part" : nil
  }
}

extension FakeOptions {
  /// The options with the keys that a recipe has for them.
  var entries: [TrainingOptions.Entry] {
    let widths = [blending.softnessWidth.lowerBound, blending.softnessWidth.upperBound]
    let list: [(String, OptionValue)] = [
      ("kind", .text(kind.rawValue)), ("share", .text("\(share)")),
      ("donor", .text("\(blending.donor)")), ("colorMatch", .text("\(blending.colorMatch)")),
      ("softness", .text("\(blending.softness)")), ("softnessWidth", .numbers(widths)),
      ("strength", .text("\(blending.strength)")),
      ("parts", .words(blending.parts.map(\.rawValue))), ("validate", .text("\(validate)")),
    ]
    return list.map { TrainingOptions.Entry(key: "fakes.\($0.0)", value: $0.1) }
  }
}
