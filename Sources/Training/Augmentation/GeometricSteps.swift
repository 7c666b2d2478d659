import DeepfakeCore
import FaceDetect
import Foundation
import Settings

extension SeededGenerator {
  mutating func uniform(in range: ClosedRange<Float>) -> Float {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }

  /// A whole number of a range, all with equal probability.
  mutating func integer(in range: ClosedRange<Int>) -> Int {
    Int.random(in: range, using: &self)
  }
}

/// Mirrors the crop left to right.
package struct HorizontalFlip: AugmentationOperation {
  /// The name in recipes.
  package static let name = "horizontalFlip"
  /// The sentence about it in the reference.
  package static let help = "Mirrors the crop."

  package init() {}

  package mutating func describe(_ fields: inout SettingFields) {}

  package func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
    face.move(by: AffineMap(a: -1, c: Double(face.width) - 1), edges: nil)
  }
}

/// Rotates the crop around its centre by a random angle.
package struct Rotation: AugmentationOperation {
  /// The name in recipes.
  package static let name = "rotation"
  /// The sentence about it in the reference.
  package static let help = "Rotates the crop around its centre."
  /// The range of the angle in degrees, counter-clockwise as the picture is seen.
  package var degrees: ClosedRange<Float>
  /// The fill of areas outside the crop.
  package var edges: EdgeFill

  /// Up to 15 degrees in both directions, black outside.
  package init() { self.init(degrees: -15...15) }

  package init(degrees: ClosedRange<Float>, edges: EdgeFill = .black) {
    self.degrees = degrees
    self.edges = edges
  }

  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value(
      "degrees", &degrees, .span(in: -180...180, isSymmetric: true),
      "The angle, counter-clockwise.")
    try fields.value("edges", &edges, .choice, "The fill of areas outside the crop.")
  }

  package func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
    let angle = Double(generator.uniform(in: degrees)) * .pi / 180
    face.move(
      by: .aroundCentre(face, a: cos(angle), b: sin(angle), d: -sin(angle), e: cos(angle)),
      edges: edges)
  }
}

/// Scales the face to a random size and moves it to the crop's middle, by its landmarks.
///
/// Crops of different collections are framed differently. If their labels differ too, a network
/// learns the framing. With this step, the framing of all crops is alike, whatever it was before. A
/// crop without landmarks is not changed.
package struct Framing: AugmentationOperation {
  /// The name in recipes.
  package static let name = "framing"
  /// The sentence about it in the reference.
  package static let help = """
    Brings the face to the middle and to one size, by its landmarks; a crop without landmarks \
    stays as it is, and of one that is tighter, a twentieth of its side is added around it.
    """
  /// The range of the distance between the middle of the eyes and that of the mouth corners, as a
  /// fraction of the crop's side (`FaceFraming`). A crop with too little around the face is shown
  /// as a whole, with up to a twentieth of the side added around it, unless the face would then be
  /// larger than the upper limit.
  package var length: ClosedRange<Float>

  /// Distances of 0.32 to 0.48.
  package init() { self.init(length: 0.32...0.48) }

  package init(length: ClosedRange<Float>) { self.length = length }

  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value(
      "length", &length, .span(in: 0.05...1),
      """
      The distance from the middle between the eyes to the middle of the mouth, as a part of \
      the crop's side.
      """)
  }

  package func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
    let wanted = generator.uniform(in: length)
    guard let place = face.landmarks.flatMap({ FaceFraming(landmarks: $0) }) else { return }
    let (x, y) = (place.middle.x + 0.5, place.middle.y + 0.5)
    let (width, height) = (Float(face.width), Float(face.height))
    let side = place.side(
      showing: wanted, atMost: length.upperBound, width: face.width, height: face.height)
    guard side.isFinite, side > 0 else { return }
    // A picture that is not square keeps its shape.
    let scale = Double(min(width, height) / side)
    face.move(
      by: AffineMap(
        a: scale, c: Double(width) / 2 - scale * Double(x) + scale / 2 - 0.5,
        e: scale, f: Double(height) / 2 - scale * Double(y) + scale / 2 - 0.5),
      edges: .replicate)
  }
}

/// Shifts and scales the crop by random amounts.
package struct ShiftScale: AugmentationOperation {
  /// The name in recipes.
  package static let name = "shiftScale"
  /// The sentence about it in the reference.
  package static let help = "Shifts and scales the crop."
  /// The range of the shifts to the right and down, as fractions of the side.
  package var shift: ClosedRange<Float>
  /// The range of the scale factor.
  package var scale: ClosedRange<Float>
  /// The fill of areas outside the crop.
  package var edges: EdgeFill

  /// Shifts of up to 0.0625, scales of 0.9 to 1.1, black outside.
  package init() { self.init(shift: -0.0625...0.0625, scale: 0.9...1.1) }

  package init(
    shift: ClosedRange<Float>, scale: ClosedRange<Float>, edges: EdgeFill = .black
  ) {
    self.shift = shift
    self.scale = scale
    self.edges = edges
  }

  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value(
      "shift", &shift, .span(in: -1...1, isSymmetric: true),
      "The shift, as a part of the crop's side.")
    try fields.value("scale", &scale, .span(in: 0.1...10), "The factor of the size.")
    try fields.value("edges", &edges, .choice, "The fill of areas outside the crop.")
  }

  package func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
    let scale = Double(generator.uniform(in: scale))
    let right = Double(generator.uniform(in: shift)) * Double(face.width)
    let down = Double(generator.uniform(in: shift)) * Double(face.height)
    var map = AffineMap.aroundCentre(face, a: scale, b: 0, d: 0, e: scale)
    map.c += right
    map.f += down
    face.move(by: map, edges: edges)
  }
}

/// Cuts out a random part of the crop and scales it to the crop's size.
package struct RandomCrop: AugmentationOperation {
  /// The name in recipes.
  package static let name = "crop"
  /// The sentence about it in the reference.
  package static let help = "Cuts out a part and enlarges it again."
  /// The range of the part's sides, as fractions of the crop's.
  package var part: ClosedRange<Float>

  /// Parts of 0.8 to 1 of the sides.
  package init() { self.init(part: 0.8...1) }

  package init(part: ClosedRange<Float>) { self.part = part }

  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value(
      "part", &part, .span(in: 0.1...1),
      "The part of the crop's side that is kept and enlarged again.")
  }

  package func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
    let part = Double(generator.uniform(in: part))
    let left = Double(generator.uniform()) * (1 - part) * Double(face.width)
    let top = Double(generator.uniform()) * (1 - part) * Double(face.height)
    // Maps edges to edges. An edge lies half a pixel before the centre of its pixel.
    let scale = 1 / part
    face.move(
      by: AffineMap(
        a: scale, c: scale * (0.5 - left) - 0.5, e: scale, f: scale * (0.5 - top) - 0.5),
      edges: nil)
  }
}

extension AffineMap {
  /// A linear map that keeps the centre of a crop in place.
  fileprivate static func aroundCentre(
    _ face: AugmentedFace, a: Double, b: Double, d: Double, e: Double
  ) -> AffineMap {
    let (x, y) = (Double(face.width - 1) / 2, Double(face.height - 1) / 2)
    return AffineMap(a: a, b: b, c: x - a * x - b * y, d: d, e: e, f: y - d * x - e * y)
  }
}
