import CDFKernels
import DeepfakeCore
import Foundation
import MediaIO

/// The part of a fingerprint with a fixed layout. Caches store its bytes unchanged.
struct FingerprintRecord: Sendable {
  /// The first half of the file's SHA-256.
  var fileDigest: (UInt64, UInt64) = (0, 0)
  /// A hash of the picture's size and pixels.
  var pixelDigest: UInt64 = 0
  var hash: UInt64 = 0
  var mirroredHash: UInt64 = 0
  var facts = PackedFacts()
  /// Detail of the ring around the face, see `BackgroundRing.detail`.
  var ringDetail: Float = 0
}

/// Everything that is measured of one picture.
struct Fingerprint: Sendable {
  /// Side of a thumbnail, in pixels.
  static let thumbnailSide = 20
  static let thumbnailCount = thumbnailSide * thumbnailSide

  var record: FingerprintRecord
  /// The grey picture, scaled to a square of `thumbnailSide`.
  var thumbnail: [UInt8]
  var ring: [UInt8]
  var points = PicturePoints()
  /// The embedding, rounded to bytes; empty without an embedder.
  var embedding: [Int8] = []

  /// A fingerprint with only its record; the caller sets the other properties.
  init(record: FingerprintRecord) {
    self.record = record
    thumbnail = []
    ring = []
  }

  /// Measures a picture. `file` holds the bytes that it was decoded from.
  init(_ image: Image, file: Data) {
    let (width, height) = (image.width, image.height)
    let grey = GreyPicture(image)
    record = FingerprintRecord()
    record.fileDigest = Self.digest(file)
    record.pixelDigest = image.pixels.withUnsafeBufferPointer {
      df_u8_hash($0.count, $0.baseAddress, UInt64(width) << 32 | UInt64(height))
    }
    let hash = PerceptualHash(grey.lanczos(PerceptualHash.side))
    record.hash = hash.upright
    record.mirroredHash = hash.mirrored
    record.facts = PackedFacts(image, grey: grey, file: file)
    let side = PicturePoints.side
    let small = GreyPicture(image.resized(width: side, height: side, method: .area)).pixels
      .map { Float($0) }
    thumbnail = [UInt8](unsafeUninitializedCapacity: Self.thumbnailCount) { buffer, initialized in
      df_f32_thumbnail(side, small, Self.thumbnailSide, buffer.baseAddress)
      initialized = Self.thumbnailCount
    }
    points = PicturePoints(small)
    let ring = BackgroundRing(image)
    self.ring = ring.cells
    record.ringDetail = ring.detail
  }

  private static func digest(_ file: Data) -> (UInt64, UInt64) {
    let digits = SHA256.digits(of: file)
    return (
      UInt64(digits.prefix(16), radix: 16) ?? 0,
      UInt64(digits.dropFirst(16).prefix(16), radix: 16) ?? 0
    )
  }
}

/// A picture in shades of grey (luma), one byte for each pixel.
package struct GreyPicture: Sendable {
  package let width: Int
  package let height: Int
  package let pixels: [UInt8]

  package init(_ image: Image) {
    width = image.width
    height = image.height
    let count = width * height
    pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      image.pixels.withUnsafeBufferPointer {
        df_u8_luma(count, $0.baseAddress, buffer.baseAddress)
      }
      initialized = count
    }
  }

  /// The picture scaled to a square with the Lanczos filter.
  package func lanczos(_ side: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: side * side) { buffer, initialized in
      let done = pixels.withUnsafeBufferPointer {
        df_u8_lanczos(height, width, $0.baseAddress, side, side, buffer.baseAddress)
      }
      precondition(done, "lanczos: out of memory")
      initialized = side * side
    }
  }

  var detail: df_detail {
    var detail = df_detail()
    pixels.withUnsafeBufferPointer { df_u8_detail(height, width, $0.baseAddress, &detail) }
    return detail
  }
}

extension PackedFacts {
  /// Side of the scaled picture on which `sharpness` is measured.
  private static let side = 128

  init(_ image: Image, grey: GreyPicture, file: Data) {
    self.init()
    width = Int32(clamping: image.width)
    height = Int32(clamping: image.height)
    fileBytes = Int32(clamping: file.count)
    let isJPEG = file.starts(with: [0xFF, 0xD8])
    format = (isJPEG ? PictureFacts.Format.jpeg : .png).rawValue
    quality = isJPEG ? UInt8(clamping: JPEGQuality.estimate(file) ?? 0) : 0
    let own = grey.detail
    ownSharpness = Self.sharpness(own, width: image.width, height: image.height)
    let fixed = GreyPicture(
      image.resized(width: Self.side, height: Self.side, method: .area)
    ).detail
    sharpness = Self.sharpness(fixed, width: Self.side, height: Self.side)
    let inside = max(1, (image.width - 2) * (image.height - 2))
    noise =
      image.width < 3 || image.height < 3
      ? 0 : Float((Double.pi / 2).squareRoot() * own.noise / (6 * Double(inside)))
    blockiness = Self.blockiness(own, width: image.width, height: image.height)
    setColors(image)
  }

  private static func sharpness(_ detail: df_detail, width: Int, height: Int) -> Float {
    guard width > 2, height > 2 else { return 0 }
    let count = Double((width - 2) * (height - 2))
    let mean = detail.laplacian / count
    return Float(max(0, detail.laplacian_squares / count - mean * mean))
  }

  private static func blockiness(_ detail: df_detail, width: Int, height: Int) -> Float {
    let borders = (width - 1) / 8 * height + (height - 1) / 8 * width
    let steps = (width - 1) * height + (height - 1) * width - borders
    guard borders > 0, steps > 0, detail.inner_steps > 0 else { return 0 }
    let ratio =
      detail.border_steps / Double(borders) / (detail.inner_steps / Double(steps))
    return Float(ratio - 1)
  }

  private mutating func setColors(_ image: Image) {
    let count = image.width * image.height
    var sums = df_color_sums()
    image.pixels.withUnsafeBufferPointer { df_u8_color_sums(count, $0.baseAddress, &sums) }
    func mean(_ sum: UInt64) -> Float { Float(Double(sum) / Double(count)) }
    func deviation(_ sum: UInt64, _ squares: UInt64) -> Float {
      let mean = Double(sum) / Double(count)
      return Float(max(0, Double(squares) / Double(count) - mean * mean).squareRoot())
    }
    let (sum, squares) = (sums.sum, sums.squares)
    self.mean = (mean(sum.0), mean(sum.1), mean(sum.2))
    self.deviation = (
      deviation(sum.0, squares.0), deviation(sum.1, squares.1), deviation(sum.2, squares.2)
    )
    saturation = Float(sums.saturation / Double(count))
  }
}
