import DeepfakeCore
import FaceDetect
import Foundation

extension SeededGenerator {
  mutating func uniform(in range: ClosedRange<Float>) -> Float {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }

  /// Each whole number of a range equally likely.
  mutating func integer(in range: ClosedRange<Int>) -> Int {
    Int.random(in: range, using: &self)
  }
}

/// Left and right swapped.
package struct HorizontalFlip: AugmentationOperation {
  /// The name in recipes.
  package static let name = "horizontalFlip"

  /// The only one there is.
  package init() {}

  /// There are no parameters.
  package mutating func describe(_ fields: inout AugmentationFields) {}

  /// Mirrors the crop.
  package func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
    face.move(by: AffineMap(a: -1, c: Double(face.width) - 1), edges: nil)
  }
}

/// A turn around the centre, by a random angle.
package struct Rotation: AugmentationOperation {
  /// The name in recipes.
  package static let name = "rotation"
  /// Counter-clockwise, as the picture is seen.
  package var degrees: ClosedRange<Float>
  /// What is seen outside the crop.
  package var edges: EdgeFill

  /// Up to 15 degrees either way, black outside.
  package init() { self.init(degrees: -15...15) }

  /// A rotation within some degrees.
  package init(degrees: ClosedRange<Float>, edges: EdgeFill = .black) {
    self.degrees = degrees
    self.edges = edges
  }

  /// Reads or writes the parameters.
  package mutating func describe(_ fields: inout AugmentationFields) throws(AugmentationError) {
    try fields.range("degrees", &degrees, in: -180...180, isSymmetric: true)
    try fields.choice("edges", &edges)
  }

  /// Turns the crop.
  package func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
    let angle = Double(generator.uniform(in: degrees)) * .pi / 180
    face.move(
      by: .aroundCentre(face, a: cos(angle), b: sin(angle), d: -sin(angle), e: cos(angle)),
      edges: edges)
  }
}

/// Brings the face to a random size and to the crop's middle, by its landmarks.
///
/// Crops of different collections are framed differently, and where their labels differ too, a
/// network learns the framing. This takes it away: whatever a crop looked like, what the network
/// sees is framed like all others. A crop without landmarks stays as it is.
package struct Framing: AugmentationOperation {
  /// The name in recipes.
  package static let name = "framing"
  /// The distance between the middle of the eyes and that of the mouth's corners, as a part of the
  /// crop's side (`FaceFraming`). A crop that has not as much around the face is shown as a whole,
  /// with a twentieth of its side around it, and as large as the upper limit says where the face
  /// fills it.
  package var length: ClosedRange<Float>

  /// From 0.32 to 0.48.
  package init() { self.init(length: 0.32...0.48) }

  /// A face of some size.
  package init(length: ClosedRange<Float>) { self.length = length }

  /// Reads or writes the parameters.
  package mutating func describe(_ fields: inout AugmentationFields) throws(AugmentationError) {
    try fields.range("length", &length, in: 0.05...1)
  }

  /// Moves the face.
  package func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
    let wanted = generator.uniform(in: length)
    guard let place = face.landmarks.flatMap({ FaceFraming(landmarks: $0) }) else { return }
    let (x, y) = (place.middle.x + 0.5, place.middle.y + 0.5)
    let (width, height) = (Float(face.width), Float(face.height))
    let side = place.side(
      showing: wanted, atMost: length.upperBound, width: face.width, height: face.height)
    guard side.isFinite, side > 0 else { return }
    // A picture that is not square is shown as a part of its shape.
    let scale = Double(min(width, height) / side)
    face.move(
      by: AffineMap(
        a: scale, c: Double(width) / 2 - scale * Double(x) + scale / 2 - 0.5,
        e: scale, f: Double(height) / 2 - scale * Double(y) + scale / 2 - 0.5),
      edges: .replicate)
  }
}

/// A shift and a change of size, by random amounts.
package struct ShiftScale: AugmentationOperation {
  /// The name in recipes.
  package static let name = "shiftScale"
  /// The shift right, and the one down, as parts of the side.
  package var shift: ClosedRange<Float>
  /// What lengths are multiplied by.
  package var scale: ClosedRange<Float>
  /// What is seen outside the crop.
  package var edges: EdgeFill

  /// Up to 0.0625 and by 0.9 to 1.1, black outside.
  package init() { self.init(shift: -0.0625...0.0625, scale: 0.9...1.1) }

  /// Shifts and scales within some ranges.
  package init(
    shift: ClosedRange<Float>, scale: ClosedRange<Float>, edges: EdgeFill = .black
  ) {
    self.shift = shift
    self.scale = scale
    self.edges = edges
  }

  /// Reads or writes the parameters.
  package mutating func describe(_ fields: inout AugmentationFields) throws(AugmentationError) {
    try fields.range("shift", &shift, in: -1...1, isSymmetric: true)
    try fields.range("scale", &scale, in: 0.1...10)
    try fields.choice("edges", &edges)
  }

  /// Moves the crop.
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

/// A random part of the crop, brought to the crop's size.
package struct RandomCrop: AugmentationOperation {
  /// The name in recipes.
  package static let name = "crop"
  /// The part's sides in relation to the crop's.
  package var part: ClosedRange<Float>

  /// From 0.8 of the sides.
  package init() { self.init(part: 0.8...1) }

  /// A part of some size.
  package init(part: ClosedRange<Float>) { self.part = part }

  /// Reads or writes the parameters.
  package mutating func describe(_ fields: inout AugmentationFields) throws(AugmentationError) {
    try fields.range("part", &part, in: 0.1...1)
  }

  /// Cuts the part out.
  package func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
    let part = Double(generator.uniform(in: part))
    let left = Double(generator.uniform()) * (1 - part) * Double(face.width)
    let top = Double(generator.uniform()) * (1 - part) * Double(face.height)
    // Edges of pixels, which lie half a pixel before their centres, go to edges.
    let scale = 1 / part
    face.move(
      by: AffineMap(
        a: scale, c: scale * (0.5 - left) - 0.5, e: scale, f: scale * (0.5 - top) - 0.5),
      edges: nil)
  }
}

extension AffineMap {
  /// A linear map that leaves the centre of a crop where it is.
  fileprivate static func aroundCentre(
    _ face: AugmentedFace, a: Double, b: Double, d: Double, e: Double
  ) -> AffineMap {
    let (x, y) = (Double(face.width - 1) / 2, Double(face.height - 1) / 2)
    return AffineMap(a: a, b: b, c: x - a * x - b * y, d: d, e: e, f: y - d * x - e * y)
  }
}
