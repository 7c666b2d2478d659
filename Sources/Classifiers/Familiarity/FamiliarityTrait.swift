/// What of a face can be unlike the faces that a network learned from. `TraitValues` has what was
/// measured of a face, and the limits.
public enum FamiliarityTrait: String, Sendable, CaseIterable, Codable {
  /// The side of the crop in pixels of the frame that it was cut from.
  case size
  /// The variance of the Laplacian of the grey crop at the network's size, values being 0 to 255.
  case sharpness
  /// The mean distance of a pixel's colour from grey, in the plane of Cb and Cr, 0 to 181.
  case chroma
  /// Different colours among 4096 pixels of the crop, spread evenly; not measured where there is no
  /// chroma. A palette, as a GIF has, leaves 256 at most.
  case colors
  /// The share of pixels that are darker or brighter than each of their four neighbours, by more
  /// than 4 of 255, at the crop's own size: the dots of a dithered picture, or noise.
  case speckle
  /// How far the network's features are from those of the faces that it learned from
  /// (`Familiarity.distance`).
  case features

  /// Whether the limit is the highest value that is familiar; otherwise it is the lowest.
  public var limitIsHighest: Bool {
    switch self {
    case .speckle, .features: true
    case .size, .sharpness, .chroma, .colors: false
    }
  }

  /// What a face beyond the limit is like, for people.
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

/// A number for each of some traits: what was measured of a face, the medians of several faces, or
/// the limits up to which a face is familiar.
package struct TraitValues: Sendable, Equatable {
  private var values: [FamiliarityTrait: Float] = [:]

  /// A number for no trait.
  package init() {}

  /// The number of a trait; nil where there is none.
  package subscript(trait: FamiliarityTrait) -> Float? {
    get { values[trait] }
    set { values[trait] = newValue }
  }

  /// The numbers by the traits' names, as files keep them. Names of no trait are passed over.
  package var entries: [String: Float] {
    get { [String: Float](uniqueKeysWithValues: values.map { ($0.key.rawValue, $0.value) }) }
    set {
      values = [:]
      for (name, value) in newValue { FamiliarityTrait(rawValue: name).map { values[$0] = value } }
    }
  }

  /// The median of each trait over those faces that have it: of an even number, the lower of the
  /// middle two.
  package static func median(of faces: [TraitValues]) -> TraitValues {
    var result = TraitValues()
    for trait in FamiliarityTrait.allCases {
      let sorted = faces.compactMap { $0[trait] }.sorted()
      if !sorted.isEmpty { result[trait] = sorted[(sorted.count - 1) / 2] }
    }
    return result
  }

  /// The traits of a face that are beyond these limits. What was not measured is not.
  package func traitsBeyond(_ measures: TraitValues) -> [FamiliarityTrait] {
    FamiliarityTrait.allCases.filter { trait in
      guard let limit = values[trait], let value = measures[trait] else { return false }
      return trait.limitIsHighest ? value > limit : value < limit
    }
  }
}
