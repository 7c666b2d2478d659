import CFFmpeg
import DeepfakeCore

/// The main picture of a HEIF file (HEIC, AVIF); FFmpeg decodes its parts.
///
/// Phones store a large picture as a grid of tiles, each of which is coded separately.
struct HEIFPicture {
  private let bytes: UnsafeRawBufferPointer
  private let file: String
  private let heif: HEIF
  /// The number of bytes of all items that were read.
  private var taken = 0

  /// Reads the index in `bytes`, which must outlive this value; `file` is the name in errors.
  init(_ bytes: UnsafeRawBufferPointer, file: String) throws(MediaError) {
    self.bytes = bytes
    self.file = file
    do {
      heif = try HEIF(bytes)
    } catch {
      switch error {
      case .cutOff: throw .truncated(file: file, reason: "its index (meta) is missing")
      case .damaged(let reason): throw .damaged(file: file, reason: reason)
      }
    }
  }

  /// Decodes the picture, and crops and turns it as the file states.
  mutating func decode() throws(MediaError) -> Image {
    let item = try item(heif.primary)
    var tiles = TileDecoder(file: file)
    let properties = heif.properties(of: item)
    try checkSize(properties)
    var image =
      switch item.kind {
      case "grid": try grid(item, &tiles)
      default: try tiles.image(item.kind, try data(of: item), properties)
      }
    for property in properties {
      switch property {
      case .turn(let orientation): image = orientation.applied(to: image)
      case .aperture(let aperture): image = cut(image, aperture)
      default: break
      }
    }
    return image
  }

  private func item(_ id: Int) throws(MediaError) -> HEIF.Item {
    guard let item = heif.items[id] else {
      throw .damaged(file: file, reason: "picture \(id) is missing")
    }
    return item
  }

  /// The item's bytes; several ranges are concatenated.
  private mutating func data(of item: HEIF.Item) throws(MediaError) -> [UInt8] {
    let room = item.isInMeta ? heif.metaData : 0..<bytes.count
    var data: [UInt8] = []
    for extent in item.extents {
      let end = item.isInMeta ? min(extent.upperBound, room.count) : extent.upperBound
      guard extent.lowerBound <= end, end <= room.count else {
        throw .truncated(file: file, reason: "the data ends before the picture is complete")
      }
      taken += end - extent.lowerBound
      guard taken <= bytes.count else {
        throw .damaged(
          file: file, reason: "its index refers to more data than the file can contain")
      }
      data += bytes[room.lowerBound + extent.lowerBound..<room.lowerBound + end]
    }
    guard !data.isEmpty else { throw .damaged(file: file, reason: "a picture has no data") }
    return data
  }

  private func checkSize(_ properties: [HEIF.Property]) throws(MediaError) {
    for case .size(let width, let height) in properties { try check(width, height) }
  }

  private func check(_ width: Int, _ height: Int) throws(MediaError) {
    guard width > 0, height > 0 else {
      throw .damaged(file: file, reason: "a picture has no size")
    }
    guard width <= ImageFile.pixelLimit / height else {
      throw .tooLarge(
        file: file, width: width, height: height,
        limit: "at most \(ImageFile.pixelLimit) pixels are allowed")
    }
  }

  // MARK: - Tiles

  /// The picture composed of tiles of one size, row by row from the left. The parts of tiles beyond
  /// its edges are dropped.
  private mutating func grid(
    _ item: HEIF.Item, _ tiles: inout TileDecoder
  ) throws(MediaError) -> Image {
    let broken = MediaError.damaged(file: file, reason: "its grid of tiles is inconsistent")
    let layout = try data(of: item)
    let numbers = layout.withUnsafeBytes { bytes -> [Int]? in
      var reader = ByteReader(bytes)
      guard reader.skip(1), let flags = reader.number(1), let rows = reader.number(1),
        let columns = reader.number(1), let width = reader.number(flags & 1 == 0 ? 2 : 4),
        let height = reader.number(flags & 1 == 0 ? 2 : 4)
      else { return nil }
      return [rows + 1, columns + 1, width, height]
    }
    guard let numbers else { throw broken }
    let (rows, columns, width, height) = (numbers[0], numbers[1], numbers[2], numbers[3])
    try check(width, height)
    guard item.parts.count == rows * columns, rows <= height, columns <= width else {
      throw broken
    }
    let colour = heif.properties(of: item).filter { if case .colour = $0 { true } else { false } }
    var pixels = [UInt8](repeating: 0, count: width * height * 3)
    var size: (width: Int, height: Int)?
    for (place, part) in item.parts.enumerated() {
      let tile = try self.item(part)
      let properties = heif.properties(of: tile) + colour
      try checkSize(properties)
      let image = try tiles.image(tile.kind, try data(of: tile), properties)
      let expected = size ?? (image.width, image.height)
      size = expected
      // Each tile starts inside the picture, and together they cover it.
      guard expected == (image.width, image.height), (columns - 1) * image.width < width,
        (rows - 1) * image.height < height, columns * image.width >= width,
        rows * image.height >= height
      else { throw broken }
      let (x, y) = (place % columns * image.width, place / columns * image.height)
      let count = min(image.width, width - x) * 3
      for row in 0..<min(image.height, height - y) {
        let target = ((y + row) * width + x) * 3
        let source = row * image.width * 3
        pixels.replaceSubrange(target..<target + count, with: image.pixels[source..<source + count])
      }
    }
    return Image(width: width, height: height, pixels: pixels)
  }

  /// The part of a picture that `aperture` shows, rounded to whole pixels. The whole picture if
  /// this part does not lie inside.
  private func cut(_ image: Image, _ aperture: HEIF.Aperture) -> Image {
    let width = aperture.width.rounded()
    let height = aperture.height.rounded()
    let x = ((Double(image.width) - width) / 2 + aperture.offsetX).rounded(.down)
    let y = ((Double(image.height) - height) / 2 + aperture.offsetY).rounded(.down)
    guard width >= 1, height >= 1, x >= 0, y >= 0, x + width <= Double(image.width),
      y + height <= Double(image.height)
    else { return image }
    return image.cropped(x: Int(x), y: Int(y), width: Int(width), height: Int(height))
  }
}

/// A decoder of coded pictures. It keeps its FFmpeg decoder as long as their kind does not change.
private struct TileDecoder {
  private let file: String
  private var decoder: Decoder?
  private var kind = ""
  private var configuration: [UInt8] = []
  private let converter: FrameConverter

  init(file: String) {
    self.file = file
    converter = FrameConverter(file: file)
  }

  private static let codecs = [
    "hvc1": AV_CODEC_ID_HEVC, "av01": AV_CODEC_ID_AV1, "avc1": AV_CODEC_ID_H264,
  ]

  mutating func image(
    _ kind: String, _ data: [UInt8], _ properties: [HEIF.Property]
  ) throws(MediaError) -> Image {
    guard let codec = Self.codecs[kind] else {
      throw .unsupported(file: file, found: "it is a HEIF picture of the kind \(kind)")
    }
    var configuration: [UInt8] = []
    var colour: (matrix: Int, isFullRange: Bool)?
    for property in properties {
      switch property {
      case .configuration(let bytes): configuration = bytes
      // The first colour property is the picture's own.
      case .colour(let matrix, let isFullRange): colour = colour ?? (matrix, isFullRange)
      default: break
      }
    }
    if decoder == nil || kind != self.kind || configuration != self.configuration {
      decoder = try Decoder(pictures: codec, configuration: configuration, file: file)
      (self.kind, self.configuration) = (kind, configuration)
    }
    guard let decoder else { throw .unreadable(file: file, reason: "out of memory") }
    let frame: Result<DecodedFrame, MediaError> = data.withUnsafeBytes { bytes in
      Result { () throws(MediaError) in try FFmpegPicture.frame(of: bytes, decoder, file: file) }
    }
    let decoded = try frame.get()
    tag(decoded, colour)
    return try converter.image(decoded)
  }

  /// Sets the frame's colour tags. The file's tags have priority over those of the coded picture.
  /// If neither has a range, it is full, as in the standard (ISO/IEC 23000-22).
  private func tag(_ frame: DecodedFrame, _ colour: (matrix: Int, isFullRange: Bool)?) {
    let unknown = Int(AVCOL_SPC_UNSPECIFIED.rawValue)
    if let colour {
      frame.pointer.pointee.color_range = colour.isFullRange ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG
      if colour.matrix != 0, colour.matrix != unknown, colour.matrix <= 14 {
        frame.pointer.pointee.colorspace = AVColorSpace(UInt32(colour.matrix))
      }
    } else if frame.pointer.pointee.color_range == AVCOL_RANGE_UNSPECIFIED {
      frame.pointer.pointee.color_range = AVCOL_RANGE_JPEG
    }
  }
}
