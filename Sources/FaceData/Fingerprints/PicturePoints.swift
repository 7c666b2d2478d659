import CDFKernels
import DeepfakeCore

/// Points that are found again in a copy of a picture, however it was cut: each with its place, its
/// scale and a code of what is around it.
struct PicturePoints: Sendable {
  struct Point: Sendable, Equatable {
    /// The place as a share of the picture, from the upper left corner.
    var x, y: Float
    /// The extent as a share of the picture.
    var scale: Float
    var code: UInt64
  }

  /// Points of a picture at most.
  static let count = 8
  /// Bits that differ between the code of a point and that of its mirror image.
  static let mirror: UInt64 = 0x5555_5555_5555_5555

  /// Codes of the points; those that are not there are 0.
  private(set) var codes: [UInt64]
  /// Three bytes of each point: x, y, and the scale, 0 where there is no point.
  private(set) var places: [UInt8]

  /// The side of the picture that points are looked for in.
  static let side = Int(DF_KEYPOINT_SIDE)

  init(codes: [UInt64] = [], places: [UInt8] = []) {
    self.codes = codes
    self.places = places
  }

  /// The points of a grey square of `side`.
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

  /// Steps of a kept scale in a pixel of the square.
  private static let scaleSteps: Float = 24

  /// A point as it is kept; nil where there is none.
  static func point(_ code: UInt64, _ x: UInt8, _ y: UInt8, _ scale: UInt8) -> Point? {
    guard scale > 0 else { return nil }
    return Point(
      x: Float(x) / 256, y: Float(y) / 256, scale: Float(scale) / (scaleSteps * Float(side)),
      code: code)
  }
}

extension CopyPlacement {
  /// Where the second picture lies in the first if two points are the same.
  init(_ first: PicturePoints.Point, _ second: PicturePoints.Point, isMirrored: Bool) {
    let x = isMirrored ? 1 - second.x : second.x
    let scale = first.scale / second.scale
    self.init(
      scale: scale, right: first.x - 0.5 - (x - 0.5) * scale,
      down: first.y - 0.5 - (second.y - 0.5) * scale, isMirrored: isMirrored)
  }

  /// Whether copies are ever cut so.
  var isPlausible: Bool {
    (0.7...1.43).contains(scale) && abs(right) <= 0.22 && abs(down) <= 0.22
  }
}
