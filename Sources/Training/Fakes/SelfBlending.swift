import CDFKernels
import DeepfakeCore
import FaceDetect
import Foundation

/// Makes a fake out of a real face. Two copies of it, or the face and another person's, are changed
/// slightly, and one is blended into the other inside a soft mask.
///
/// The method follows Shiohara and Yamasaki, "Detecting Deepfakes with Self-Blended Images" (CVPR
/// 2022), and, with another person's face, Li et al., "Face X-ray for More General Face Forgery
/// Detection" (CVPR 2020). The result depends on the picture, the landmarks and the generator
/// alone.
///
/// ```swift
/// let landmarks = [(40, 50), (80, 50), (60, 75), (45, 95), (75, 95)].map {
///   Point(x: $0.0, y: $0.1)  // eyes, nose, corners of the mouth
/// }
/// var generator = SeededGenerator(seed: 1)
/// let fake = SelfBlending().fake(of: crop, landmarks: landmarks, using: &generator)
/// ```
public struct SelfBlending: Sendable, Equatable {
  /// The probability, 0 to 1, that the blended face is another person's, if there is one.
  public var donor: Float = 0
  /// The probability that another person's face gets the colours of the face that it replaces.
  public var colorMatch: Float = 0.8
  /// The probability that the blended face has a low resolution, as faces from generators have.
  public var softness: Float = 0
  /// The width of such a face from cheek to cheek, in pixels. It is drawn uniformly on a
  /// logarithmic scale.
  public var softnessWidth: ClosedRange<Float> = 24...96
  /// How much the copies differ in colour and sharpness; 1 is the default amount.
  public var strength: Float = 1
  /// The parts of faces that are replaced, each with equal probability. A part that is listed twice
  /// is twice as likely.
  package var parts: [BlendedPart] = BlendedPart.allCases

  /// The shares of the blended face in the replaced part, each with equal probability. Another
  /// person's face always has a share of 1: real fakes do not mix two faces half and half.
  static let ratios: [Float] = [0.25, 0.5, 0.75, 1, 1, 1]

  /// The paper's fakes: all parts, no donors, no low resolution.
  public init() {}

  /// Another person's face.
  public struct Donor: Sendable {
    /// A crop of the person, of any size.
    public var image: Image
    /// Left eye, right eye, nose, left and right mouth corner, in pixels of the crop.
    public var landmarks: [Point]

    /// Makes a donor from a crop and its landmarks.
    public init(_ image: Image, landmarks: [Point]) {
      self.image = image
      self.landmarks = landmarks
    }
  }

  /// A fake and the pictures that it was made of.
  public struct Blend: Sendable {
    /// The picture that is blended into: the real one, or a copy whose colours and sharpness were
    /// changed.
    public var target: Image
    /// The blended face, moved to its place.
    public var source: Image
    /// The mask as a grey picture: where it is white, the source has its full share.
    public var mask: Image
    /// The share of the source in a pixel where the mask is white, 0 to 1.
    public var share: Float
    /// The fake, of the size of the real picture.
    public var fake: Image
  }

  /// Makes a fake out of a real face. Pixels outside the mask are those that `real(of:using:)`
  /// gives for an equal generator. In half of the cases these are the pixels of `image`, and
  /// otherwise those of `image` with changed colours and sharpness (never with `keepsTarget`).
  ///
  /// - Parameters:
  ///   - image: The real face.
  ///   - landmarks: Its five points, in pixels of the picture. If they cannot be those of a face
  ///     (not finite, coinciding, far outside), the face is assumed to be in the middle.
  ///   - donor: Another person's face. A copy of the real face is used if it is nil or its
  ///     landmarks are unusable.
  ///   - keepsTarget: Whether pixels outside the mask always stay unchanged.
  public func fake(
    of image: Image, landmarks: [Point], donor: Donor? = nil, keepsTarget: Bool = false,
    using generator: inout SeededGenerator
  ) -> Image {
    let parts = pieces(
      of: image, landmarks, donor: donor, keepsTarget: keepsTarget, using: &generator)
    return parts.target.blended(with: parts.source, mask: parts.mask, share: parts.share)
  }

  /// Makes a fake as `fake(of:landmarks:donor:keepsTarget:using:)` does, and returns it with its
  /// pieces.
  public func blend(
    of image: Image, landmarks: [Point], donor: Donor? = nil, keepsTarget: Bool = false,
    using generator: inout SeededGenerator
  ) -> Blend {
    let parts = pieces(
      of: image, landmarks, donor: donor, keepsTarget: keepsTarget, using: &generator)
    return Blend(
      target: parts.target, source: parts.source, mask: parts.mask.image, share: parts.share,
      fake: parts.target.blended(with: parts.source, mask: parts.mask, share: parts.share))
  }

  /// A real picture as training shows it beside fakes. In half of the cases its colours and
  /// sharpness are changed, as those of fakes are outside the mask. So this change does not reveal
  /// fakes.
  public func real(of image: Image, using generator: inout SeededGenerator) -> Image {
    let change = TargetChange(strength, using: &generator)
    return change.isOfTarget ? change.tone(image) : image
  }

  /// The change of one of the copies. It is drawn first, so `real` and `fake` make the same change.
  private struct TargetChange {
    var isOfTarget: Bool
    var tone: ToneChange

    init(_ strength: Float, using generator: inout SeededGenerator) {
      isOfTarget = generator.uniform() < 0.5
      tone = ToneChange(strength: strength, using: &generator)
    }
  }

  private struct Pieces {
    var target: Image
    var source: Image
    var mask: BlendMask
    var share: Float
  }

  private func pieces(
    of image: Image, _ landmarks: [Point], donor: Donor?, keepsTarget: Bool,
    using generator: inout SeededGenerator
  ) -> Pieces {
    let (width, height) = (image.width, image.height)
    let change = TargetChange(strength, using: &generator)
    let changesTarget = change.isOfTarget && !keepsTarget
    let frame =
      FaceFrame(landmarks, width: width, height: height)
      ?? FaceFrame(centredIn: width, height)
    let faceWidth = Float(frame.faceWidth)
    let part = parts.randomElement(using: &generator) ?? .inner
    let outline = FaceOutline(part, of: frame, using: &generator)
    // The same wave bends the face a little and the outline much more.
    let lattice = ElasticLattice(deviation: faceWidth * 0.012, using: &generator)
    let bend = generator.uniform(in: 2...7)
    let mask = BlendMask(
      outline, bentBy: lattice.scaled(by: bend),
      rounding: faceWidth * generator.uniform(in: 0.015...0.05),
      level: generator.uniform(in: 0.5...0.9),
      softness: faceWidth * generator.logUniform(in: 0.008...0.08), width: width, height: height)
    let move = Self.smallMove(of: frame, using: &generator)
    let ratio = Self.ratios.randomElement(using: &generator) ?? 1
    let isSoft = generator.uniform() < softness
    let softWidth = generator.logUniform(in: softnessWidth)
    let isMatched = generator.uniform() < colorMatch

    var source = image
    var map = move
    var isDonors = false
    if let donor, let found = Self.map(to: donor, from: landmarks, frame, width, height) {
      (source, map, isDonors) = (donor.image, move.followed(by: found), true)
    }
    // Scaling down comes before moving: this avoids aliasing and needs only one interpolation.
    let wanted = isSoft ? min(softWidth / faceWidth, 1) : 1
    (source, map) = Self.reduced(source, map, to: wanted)
    source = source.warped(by: map, lattice, width: width, height: height)
    if isDonors, isMatched { source = source.recolored(as: image, within: mask) }
    if !changesTarget { source = change.tone(source) }
    return Pieces(
      target: changesTarget ? change.tone(image) : image, source: source, mask: mask,
      share: isDonors ? 1 : ratio)
  }

  /// A small random move around the middle of the face, from the fake's pixels to the source's.
  private static func smallMove(
    of frame: FaceFrame, using generator: inout SeededGenerator
  ) -> AffineMap {
    func draw(_ most: Double) -> Double { Double(2 * generator.uniform() - 1) * most }
    let size = 1 + draw(0.05)
    let (stretch, angle) = (1 + draw(0.02), draw(2 * .pi / 180))
    let shift = frame.right * draw(0.08) + frame.down * draw(0.05)
    let middle = frame.point(0, 0.5)
    var map = AffineMap(
      a: size * stretch * cos(angle), b: -size * sin(angle), d: size * stretch * sin(angle),
      e: size * cos(angle))
    map.c = middle.x + shift.x - map.a * middle.x - map.b * middle.y
    map.f = middle.y + shift.y - map.d * middle.x - map.e * middle.y
    return map
  }

  /// The map from a picture's pixels to a donor's that aligns the faces; nil if the landmarks of
  /// one are unusable.
  private static func map(
    to donor: Donor, from landmarks: [Point], _ frame: FaceFrame, _ width: Int, _ height: Int
  ) -> AffineMap? {
    guard FaceFrame(landmarks, width: width, height: height) != nil,
      FaceFrame(donor.landmarks, width: donor.image.width, height: donor.image.height) != nil
    else { return nil }
    return SimilarityTransform(from: landmarks, to: donor.landmarks)?.map
  }

  /// Scales the source down by area if it has more pixels than the fake times `wanted`. Returns it
  /// with the map to it.
  private static func reduced(
    _ source: Image, _ map: AffineMap, to wanted: Float
  ) -> (Image, AffineMap) {
    let factor = wanted / Float(max(map.largestStretch, 1e-6))
    guard factor < 0.8 else { return (source, map) }
    let small = source.resized(
      width: max(1, Int((Float(source.width) * factor).rounded())),
      height: max(1, Int((Float(source.height) * factor).rounded())), method: .area)
    let (x, y) = (
      Double(small.width) / Double(source.width), Double(small.height) / Double(source.height)
    )
    // Whole coordinates are the centres of pixels. The shift maps edges, half a pixel before, to
    // edges.
    let shrink = AffineMap(a: x, c: (x - 1) / 2, e: y, f: (y - 1) / 2)
    return (small, map.followed(by: shrink))
  }
}

extension SeededGenerator {
  /// A number from a range of positive numbers, uniform on a logarithmic scale.
  mutating func logUniform(in range: ClosedRange<Float>) -> Float {
    let (low, high) = (log(range.lowerBound), log(range.upperBound))
    return exp(low + (high - low) * uniform())
  }
}

extension Image {
  /// The image seen through an elastic displacement and then a map. Both lead from pixels of the
  /// new picture, of `width` x `height`, to pixels of this one. Outside, the nearest pixel is used.
  package func warped(
    by map: AffineMap, _ lattice: ElasticLattice, width: Int, height: Int
  ) -> Image {
    Image(width: width, height: height) { target in
      pixels.withUnsafeBufferPointer { source in
        let done = df_u8_warp_elastic(
          self.height, self.width, source.baseAddress, [map.a, map.b, map.c, map.d, map.e, map.f],
          ElasticLattice.cells, lattice.displacements, height, width, target.baseAddress)
        precondition(done, "warped: out of memory")
      }
    }
  }

  /// Gives each channel the mean and the standard deviation, within the mask, of another image of
  /// the same size (Reinhard et al., "Color Transfer between Images", 2001, but in RGB).
  func recolored(as other: Image, within mask: BlendMask) -> Image {
    let (own, wanted) = (tones(within: mask), other.tones(within: mask))
    let table = (0..<3).flatMap { channel in
      let factor = min(max(wanted.deviation[channel] / max(own.deviation[channel], 1), 0.4), 2.5)
      return (0..<256).map { value -> UInt8 in
        let moved = wanted.mean[channel] + factor * (Double(value) - own.mean[channel])
        return UInt8(min(max(moved, 0), 255).rounded())
      }
    }
    return lookedUp(byChannel: table)
  }

  private func tones(within mask: BlendMask) -> (mean: SIMD3<Double>, deviation: SIMD3<Double>) {
    var sums = [Double](repeating: 0, count: 7)
    pixels.withUnsafeBufferPointer {
      df_u8_weighted_sums(width * height, $0.baseAddress, mask.values, &sums)
    }
    let weight = max(sums[6], 1e-6)
    let mean = SIMD3(sums[0], sums[1], sums[2]) / weight
    let squares = SIMD3(sums[3], sums[4], sums[5]) / weight
    return (
      mean,
      (squares - mean * mean).clamped(lowerBound: .zero, upperBound: squares)
        .squareRoot()
    )
  }

  /// Blends in another image of the same size, with the weight mask x `share`.
  func blended(with other: Image, mask: BlendMask, share: Float) -> Image {
    other.pixels.withUnsafeBufferPointer { bytes in
      rewritten { df_u8_blend(width * height, $0, bytes.baseAddress, mask.values, share, $1) }
    }
  }
}
