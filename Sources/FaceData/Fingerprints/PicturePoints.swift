import CDFKernels
import DeepfakeCore

/// Keypoints that are found again in a copy of a picture, however it was cropped. Each has a
/// position, a scale and a code of its surroundings.
struct PicturePoints: Sendable {
  struct Point: Sendable, Equatable {
    /// Position as fractions of the picture's width and height, from the upper left corner.
    var x, y: Float
    /// Size of the keypoint as a fraction of the picture's side.
    var scale: Float
    var code: UInt64
  }

  /// Maximum number of keypoints of a picture.
  static let count = 8
  /// Bits that differ between the code of a point and that of its mirror image.
  static let mirror: UInt64 = 0x5555_5555_5555_5555

  /// Codes of the keypoints; 0 for missing ones.
  private(set) var codes: [UInt64]
  /// Three bytes for each keypoint: x, y and scale. The scale is 0 for a missing one.
  private(set) var places: [UInt8]

  /// Side of the picture in which keypoints are searched, in pixels.
  static let side = Int(DF_KEYPOINT_SIDE)

  init(codes: [UInt64] = [], places: [UInt8] = []) {
    self.codes = codes
    self.places = places
  }

  /// Finds the keypoints of a grey square picture of `side` x `side` pixels.
  init(_ grey: [Float]) {
    let points = [df_keypoint](unsafeUninitializedCapacity: Self.count) { buffer, initialized in
      initialized = df_f32_keypoints(grey, Self.count, buffer.baseAddress)
    }
    codes = Array(repeating: 0, count: Self.count)
    places = Array(repeating: 0, count: 3 * Self.count)
    let share = 256 / Float(Self.side)
    for (number, point) in points.enumerated() {
      codes[number] = point.code
      places[3 * number] = UInt8(max(0, min(255, ((point.x + 0.5) * share).rounded())))
      places[3 * number + 1] = UInt8(max(0, min(255, ((point.y + 0.5) * share).rounded())))
      places[3 * number + 2] = UInt8(max(1, min(255, (point.scale * Self.scaleSteps).rounded())))
    }
  }

  /// Number of steps of the stored scale in one pixel of the square.
  private static let scaleSteps: Float = 24

  /// Decodes a stored keypoint; nil for a missing one.
  static func point(_ code: UInt64, _ x: UInt8, _ y: UInt8, _ scale: UInt8) -> Point? {
    guard scale > 0 else { return nil }
    return Point(
      x: Float(x) / 256, y: Float(y) / 256, scale: Float(scale) / (scaleSteps * Float(side)),
      code: code)
  }
}

extension CopyPlacement {
  /// The position of the second picture in the first if both keypoints show the same detail.
  init(_ first: PicturePoints.Point, _ second: PicturePoints.Point, isMirrored: Bool) {
    let x = isMirrored ? 1 - second.x : second.x
    let scale = first.scale / second.scale
    self.init(
      scale: scale, right: first.x - 0.5 - (x - 0.5) * scale,
      down: first.y - 0.5 - (second.y - 0.5) * scale, isMirrored: isMirrored)
  }

  /// Whether the scale and the shift are in the range that copies have.
  var isPlausible: Bool {
    (0.7...1.43).contains(scale) && abs(right) <= 0.22 && abs(down) <= 0.22
  }
}
