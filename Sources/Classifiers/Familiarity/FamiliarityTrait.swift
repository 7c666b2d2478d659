/// A property in which a face can differ from the faces that a network learned from. `TraitValues`
/// holds a face's measures, or the limits.
public enum FamiliarityTrait: String, Sendable, CaseIterable, Codable {
  /// The side of the crop, in pixels of the frame that it was cut from.
  case size
  /// Sharpness: the variance of the Laplacian of the grey crop at the network's size, for values of
  /// 0 to 255.
  case sharpness
  /// Colourfulness: the mean distance of the pixels from grey in the plane of Cb and Cr, 0 to 181.
  case chroma
  /// The number of different colours among 4096 pixels on an even grid over the crop. It is not
  /// measured for grey crops. A palette, as in a GIF, has at most 256 colours.
  case colors
  /// The fraction of pixels that are darker or brighter than all four neighbours by more than 4 of
  /// 255, at the crop's own size: the dots of a dithered image, or noise.
  case speckle
  /// The distance of the network's features from those of the faces that it learned from
  /// (`Familiarity.distance`).
  case features

  /// Whether the limit is the highest familiar value; otherwise it is the lowest.
  public var limitIsHighest: Bool {
    switch self {
    case .speckle, .features: true
    case .size, .sharpness, .chroma, .colors: false
    }
  }

  /// A description of a face beyond the limit, to show to users.
  public var words: String {
    switch self {
    case .size: "small face"
    case .sharpness: "blurred"
    case .chroma: "grey picture"
    case .colors: "few colours"
    case .speckle: "dithered or noisy"
    case .features: "unknown kind of picture"
    }
  }
}

/// One number for each of some traits: the measures of a face, their medians over several faces, or
/// the limits of familiarity.
package struct TraitValues: Sendable, Equatable {
  private var values: [FamiliarityTrait: Float] = [:]

  /// Creates an empty set of numbers.
  package init() {}

  /// The number of a trait; nil if there is none.
  package subscript(trait: FamiliarityTrait) -> Float? {
    get { values[trait] }
    set { values[trait] = newValue }
  }

  /// The numbers by the traits' names, for files. Setting it ignores unknown names.
  package var entries: [String: Float] {
    get { [String: Float](uniqueKeysWithValues: values.map { ($0.key.rawValue, $0.value) }) }
    set {
      values = [:]
      for (name, value) in newValue { FamiliarityTrait(rawValue: name).map { values[$0] = value } }
    }
  }

  /// The median of each trait over the faces that have it; the lower of the two middle values if
  /// their number is even.
  package static func median(of faces: [TraitValues]) -> TraitValues {
    var result = TraitValues()
    for trait in FamiliarityTrait.allCases {
      let sorted = faces.compactMap { $0[trait] }.sorted()
      if !sorted.isEmpty { result[trait] = sorted[(sorted.count - 1) / 2] }
    }
    return result
  }

  /// The traits of a face that are beyond these limits. A trait without a limit or a measure is
  /// not.
  package func traitsBeyond(_ measures: TraitValues) -> [FamiliarityTrait] {
    FamiliarityTrait.allCases.filter { trait in
      guard let limit = values[trait], let value = measures[trait] else { return false }
      return trait.limitIsHighest ? value > limit : value < limit
    }
  }
}
