import DeepfakeCore
import FaceDetect

/// Random rectangles covered (DeVries and Taylor, "Improved Regularization of Convolutional Neural
/// Networks with Cutout", 2017).
package struct Cutout: AugmentationOperation {
  /// The name in recipes.
  package static let name = "cutout"
  /// How many rectangles.
  package var count: ClosedRange<Int>
  /// Their width, and their height, as parts of the crop's.
  package var size: ClosedRange<Float>

  /// One or two, of 0.1 to 0.3 of the sides.
  package init() { self.init(count: 1...2, size: 0.1...0.3) }

  /// Rectangles within some ranges.
  package init(count: ClosedRange<Int>, size: ClosedRange<Float>) {
    self.count = count
    self.size = size
  }

  /// Reads or writes the parameters.
  package mutating func describe(_ fields: inout AugmentationFields) throws(AugmentationError) {
    try fields.integers("count", &count, in: 1...100)
    try fields.range("size", &size, in: 0...1)
  }

  /// Covers parts of the crop with black, all wholly within it.
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

/// The eyes, the nose or the mouth covered, so that a network does not judge by one of them alone
/// (as the DFDC's first place did).
///
/// Needs the crop's five landmarks; a crop without them stays as it is.
package struct LandmarkCutout: AugmentationOperation {
  /// The name in recipes.
  package static let name = "landmarkCutout"
  /// What can be covered.
  package enum Part: String, Sendable, CaseIterable {
    /// Both eyes.
    case eyes
    case nose
    case mouth
  }

  /// One of these is covered, each equally likely.
  package var parts: [Part]
  /// The size of what covers, in relation to the part's usual one.
  package var size: ClosedRange<Float>

  /// Any of the three, at 0.8 to 1.3 of the usual size.
  package init() { self.init(parts: Part.allCases) }

  /// Some parts covered.
  package init(parts: [Part], size: ClosedRange<Float> = 0.8...1.3) {
    precondition(!parts.isEmpty, "LandmarkCutout: no parts")
    self.parts = parts
    self.size = size
  }

  /// Reads or writes the parameters.
  package mutating func describe(_ fields: inout AugmentationFields) throws(AugmentationError) {
    try fields.choices("parts", &parts)
    try fields.range("size", &size, in: 0...4)
  }

  /// Covers one part with a black bar that follows the face's slant.
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

  /// The line through a part, and its thickness by the distance between the eyes.
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
      // From between the eyes to the tip.
      let bridge = Point(
        x: (points[0].x + points[1].x) / 2 * 0.6 + points[2].x * 0.4,
        y: (points[0].y + points[1].y) / 2 * 0.6 + points[2].y * 0.4)
      return (bridge, points[2], 0.55 * eyes)
    }
  }
}
