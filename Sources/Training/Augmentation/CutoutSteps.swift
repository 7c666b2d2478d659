import DeepfakeCore
import FaceDetect
import Settings

/// Covers random rectangles (DeVries and Taylor, "Improved Regularization of Convolutional Neural
/// Networks with Cutout", 2017).
package struct Cutout: AugmentationOperation {
  /// The name in recipes.
  package static let name = "cutout"
  /// The sentence about it in the reference.
  package static let help = "Covers rectangles with black."
  /// The range of the number of rectangles.
  package var count: ClosedRange<Int>
  /// The range of their width and of their height, as fractions of the crop's.
  package var size: ClosedRange<Float>

  /// One or two rectangles, with sides of 0.1 to 0.3 of the crop's.
  package init() { self.init(count: 1...2, size: 0.1...0.3) }

  package init(count: ClosedRange<Int>, size: ClosedRange<Float>) {
    self.count = count
    self.size = size
  }

  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value("count", &count, .span(in: 1...100), "The number of rectangles.")
    try fields.value(
      "size", &size, .span(in: 0...1),
      "Their width and height, as parts of the crop's.")
  }

  /// Covers the rectangles with black. Each lies entirely within the crop.
  package func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
    let rectangles = (0..<generator.integer(in: count)).map { _ in
      let (width, height) = (generator.uniform(in: size), generator.uniform(in: size))
      return (
        x: generator.uniform() * (1 - width), y: generator.uniform() * (1 - height), width: width,
        height: height
      )
    }
    face.change { image in
      var image = image
      let (width, height) = (Float(image.width), Float(image.height))
      for area in rectangles {
        image.fillRectangle(
          x: Int(area.x * width), y: Int(area.y * height), width: Int(area.width * width),
          height: Int(area.height * height), color: .black)
      }
      return image
    }
  }
}

/// Covers the eyes, the nose or the mouth, so that a network does not rely on one of them alone (as
/// in the winning solution of the DFDC).
///
/// It needs the crop's five landmarks. A crop without them is not changed.
package struct LandmarkCutout: AugmentationOperation {
  /// The name in recipes.
  package static let name = "landmarkCutout"
  /// The sentence about it in the reference.
  package static let help = """
    Covers the eyes, the nose or the mouth; a crop without landmarks stays as it is.
    """
  /// The parts of a face that can be covered.
  package enum Part: String, Sendable, CaseIterable {
    /// Both eyes.
    case eyes
    case nose
    case mouth
  }

  /// The parts to choose from, each with equal probability.
  package var parts: [Part]
  /// The range of the bar's thickness, relative to the part's usual size.
  package var size: ClosedRange<Float>

  /// Any of the three parts, at 0.8 to 1.3 of the usual size.
  package init() { self.init(parts: Part.allCases) }

  /// The given parts, of which there must be at least one.
  package init(parts: [Part], size: ClosedRange<Float> = 0.8...1.3) {
    precondition(!parts.isEmpty, "LandmarkCutout: no parts")
    self.parts = parts
    self.size = size
  }

  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value(
      "parts", &parts, .some(isUnique: true), "The parts of the face, one of which is covered.")
    try fields.value(
      "size", &size, .span(in: 0...4),
      "The thickness of the bar, relative to the part's usual size.")
  }

  /// Covers one part with a black bar that is tilted like the face.
  package func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
    let part = parts[generator.integer(in: 0...parts.count - 1)]
    let size = generator.uniform(in: size)
    guard let bar = face.landmarks.flatMap({ Self.bar(part, $0) }) else { return }
    face.change { image in
      var image = image
      image.drawLine(
        fromX: bar.from.x, fromY: bar.from.y, toX: bar.to.x, toY: bar.to.y, color: .black,
        thickness: bar.thickness * size)
      return image
    }
  }

  /// The line through a part, and its thickness, relative to the distance between the eyes. Nil if
  /// both eyes are at the same point.
  private static func bar(
    _ part: Part, _ points: [Point]
  ) -> (from: Point, to: Point, thickness: Float)? {
    let (x, y) = (points[1].x - points[0].x, points[1].y - points[0].y)
    let eyes = (x * x + y * y).squareRoot()
    guard eyes.isFinite, eyes > 0 else { return nil }
    switch part {
    case .eyes: return (points[0], points[1], 0.5 * eyes)
    case .mouth: return (points[3], points[4], 0.45 * eyes)
    case .nose:
      // From the bridge of the nose, between the eyes, to its tip.
      let bridge = Point(
        x: (points[0].x + points[1].x) / 2 * 0.6 + points[2].x * 0.4,
        y: (points[0].y + points[1].y) / 2 * 0.6 + points[2].y * 0.4)
      return (bridge, points[2], 0.55 * eyes)
    }
  }
}
