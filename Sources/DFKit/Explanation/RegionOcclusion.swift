import Classifiers
import DeepfakeCore
import FaceDetect
import Training

/// Measures which parts of a face make a network say "fake". Each part is blurred in turn, and the
/// change of the log odds is its weight (after Zeiler and Fergus, "Visualizing and Understanding
/// Convolutional Networks", ECCV 2014, with parts of a face instead of patches).
package struct RegionOcclusion: Sendable {
  /// A part of a face.
  package enum Region: String, Sendable, CaseIterable {
    /// Eyes and brows.
    case eyes
    case nose
    case mouth
    /// The border between face and surroundings, where a pasted face ends.
    case outline

    /// How much a point belongs to the region, 0 to 1, with a soft edge. The point is in the face's
    /// own coordinates (see `FaceFrame`).
    func part(_ x: Double, _ y: Double) -> Float {
      switch self {
      case .eyes: Self.ellipse(abs(x) - 0.5, y + 0.08, 0.48, 0.38)
      case .nose: Self.ellipse(x, y - 0.45, 0.34, 0.42)
      case .mouth: Self.ellipse(x, y - 1.04, 0.62, 0.3)
      case .outline:
        max(
          0,
          Self.ellipse(x, y - 0.3, 1.38, 1.7) - Self.ellipse(x, y - 0.35, 0.9, 1.12))
      }
    }

    /// 1 inside an ellipse around the origin, 0 outside. The soft edge is a fifth of the ellipse's
    /// size wide.
    private static func ellipse(
      _ x: Double, _ y: Double, _ halfWidth: Double, _ halfHeight: Double
    ) -> Float {
      let (across, down) = (x / halfWidth, y / halfHeight)
      let distance = (across * across + down * down).squareRoot()
      return Float(min(max((1.1 - distance) / 0.2, 0), 1))
    }
  }

  /// The weight of one region.
  package struct Finding: Sendable, Equatable {
    package var region: Region
    /// How much the log odds of "fake" fall when the region is blurred. Negative if the region
    /// spoke for "real".
    package var weight: Float
  }

  package var classifier: any FrameClassifier

  /// Takes a network with one or two outputs.
  package init(_ classifier: any FrameClassifier) {
    self.classifier = classifier
  }

  /// The weights of all regions of a crop, highest first. Nil if the landmarks do not form a face
  /// inside the crop, or if the network's outputs do not mean real and fake.
  ///
  /// - Parameter landmarks: The five landmarks, in pixels of the crop.
  package func callAsFunction(_ crop: Image, landmarks: [Point]) -> [Finding]? {
    self(MotionCrop(crop), landmarks: landmarks)
  }

  /// The weights of all regions of a crop with its later one. A region is blurred in both, which
  /// takes away its motion, too.
  package func callAsFunction(_ crop: MotionCrop, landmarks: [Point]) -> [Finding]? {
    let image = crop.image
    guard let frame = FaceFrame(landmarks, width: image.width, height: image.height) else {
      return nil
    }
    let blurred = crop.map(\.blurredAway)
    let views =
      [crop]
      + Region.allCases.map { region in
        func part(_ x: Int, _ y: Int) -> Float {
          let place = frame.place(x: Double(x), y: Double(y))
          return region.part(place.x, place.y)
        }
        return MotionCrop(
          image.replaced(by: blurred.image, part),
          later: crop.later.map { $0.replaced(by: blurred.later ?? $0, part) })
      }
    let odds = classifier.logits(of: views).map(classifier.logOdds)
    guard let whole = odds[0] else { return nil }
    return zip(Region.allCases, odds.dropFirst())
      .compactMap { region, odds in odds.map { Finding(region: region, weight: whole - $0) } }
      .sorted { $0.weight > $1.weight }
  }
}

extension Image {
  /// The picture blurred so that details smaller than a tenth of it are lost.
  fileprivate var blurredAway: Image {
    resized(width: max(1, min(10, width)), height: max(1, min(10, height)), method: .area)
      .resized(width: width, height: height, method: .bilinear)
  }

  /// The picture mixed with `other`: `part` gives the share of `other` at each pixel, 0 to 1.
  fileprivate func replaced(by other: Image, _ part: (Int, Int) -> Float) -> Image {
    var result = self
    for y in 0..<height {
      for x in 0..<width {
        let share = part(x, y)
        guard share > 0 else { continue }
        let (old, new) = (self[x, y], other[x, y])
        func mixed(_ old: UInt8, _ new: UInt8) -> UInt8 {
          UInt8((Float(old) + share * (Float(new) - Float(old))).rounded())
        }
        result[x, y] = (
          mixed(old.red, new.red), mixed(old.green, new.green), mixed(old.blue, new.blue)
        )
      }
    }
    return result
  }
}
