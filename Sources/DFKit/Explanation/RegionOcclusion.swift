import Classifiers
import DeepfakeCore
import FaceDetect
import Training

/// What parts of a face make a network say "fake": each is blurred away in turn, and the log odds
/// are asked for anew (after Zeiler and Fergus, "Visualizing and Understanding Convolutional
/// Networks", ECCV 2014, with parts of a face for patches).
package struct RegionOcclusion: Sendable {
  /// A part of a face.
  package enum Region: String, Sendable, CaseIterable {
    /// Eyes and brows.
    case eyes
    case nose
    case mouth
    /// The border between face and surroundings, where a pasted face ends.
    case outline

    /// What a place in the face's own coordinates (see `FaceFrame`) belongs to the region, 0 to 1,
    /// soft at the edge.
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

    /// 1 inside of an ellipse around the origin, 0 outside, with a soft edge a fifth of its size
    /// wide.
    private static func ellipse(
      _ x: Double, _ y: Double, _ halfWidth: Double, _ halfHeight: Double
    ) -> Float {
      let (across, down) = (x / halfWidth, y / halfHeight)
      let distance = (across * across + down * down).squareRoot()
      return Float(min(max((1.1 - distance) / 0.2, 0), 1))
    }
  }

  /// What a region is worth.
  package struct Finding: Sendable, Equatable {
    package var region: Region
    /// How much lower the log odds of "fake" are without it; below 0 where it spoke for "real".
    package var weight: Float
  }

  package var classifier: any FrameClassifier

  /// A network of one or two outputs.
  package init(_ classifier: any FrameClassifier) {
    self.classifier = classifier
  }

  /// What each region of a crop is worth, most first; nil where the landmarks make no face in the
  /// crop, or the network's outputs do not mean "fake".
  ///
  /// - Parameter landmarks: five points in pixels of the crop.
  package func callAsFunction(_ crop: Image, landmarks: [Point]) -> [Finding]? {
    guard let frame = FaceFrame(landmarks, width: crop.width, height: crop.height) else {
      return nil
    }
    let blurred = crop.blurredAway
    let views =
      [crop]
      + Region.allCases.map { region in
        crop.replaced(by: blurred) { x, y in
          let place = frame.place(x: Double(x), y: Double(y))
          return region.part(place.x, place.y)
        }
      }
    let odds = classifier.logits(of: views).map(classifier.logOdds)
    guard let whole = odds[0] else { return nil }
    return zip(Region.allCases, odds.dropFirst())
      .compactMap { region, odds in odds.map { Finding(region: region, weight: whole - $0) } }
      .sorted { $0.weight > $1.weight }
  }
}

extension Image {
  /// The picture without anything smaller than a tenth of it.
  fileprivate var blurredAway: Image {
    resized(width: max(1, min(10, width)), height: max(1, min(10, height)), method: .area)
      .resized(width: width, height: height, method: .bilinear)
  }

  /// The picture with another's pixels where `part` says so, 0 to 1.
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
