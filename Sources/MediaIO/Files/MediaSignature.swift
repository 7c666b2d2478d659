/// Recognition of pictures and videos by a file's first bytes. It is much faster than FFmpeg's
/// probes, because folders can contain very many files.
enum MediaSignature {
  /// The number of bytes needed from the start of a file.
  static let headSize = 4096

  /// The kind by a file's first bytes; nil if they are neither a picture nor a video that can be
  /// decoded. Sound files and the raw formats of cameras give nil.
  static func kind(_ head: some RandomAccessCollection<UInt8>) -> MediaKind? {
    let head = Array(head.prefix(headSize))
    if PictureFormat(head: head) != nil { return .image }
    if let brand = HEIF.brand(head: head) { return otherBrands.contains(brand) ? nil : .video }
    if pictures.contains(where: { $0.matches(head) }) { return .image }
    if isBitmap(head) { return .image }
    if videos.contains(where: { $0.matches(head) }) { return .video }
    return isOldQuickTime(head) || isOggVideo(head) || isTransportStream(head) ? .video : nil
  }

  /// Bytes at the start of a file, and optionally other bytes at a second position.
  private struct Pattern {
    var bytes: [UInt8]
    var second: (offset: Int, bytes: [UInt8])?

    init(_ bytes: [UInt8], at offset: Int = 0, _ more: [UInt8] = []) {
      self.bytes = bytes
      second = more.isEmpty ? nil : (offset, more)
    }

    func matches(_ head: [UInt8]) -> Bool {
      guard head.starts(with: bytes) else { return false }
      return second.map { head.dropFirst($0.offset).starts(with: $0.bytes) } ?? true
    }
  }

  private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

  /// Formats that `PictureFormat` does not recognise.
  private static let pictures = [
    Pattern([0xFF, 0xD8, 0xFF, 0xF7]),  // JPEG-LS
    Pattern(text("RIFF"), at: 8, text("WEBP")),
    Pattern([0x49, 0x49, 0x2A, 0]), Pattern([0x4D, 0x4D, 0, 0x2A]),  // TIFF
    Pattern([0, 0, 0, 0x0C, 0x6A, 0x50, 0x20, 0x20, 0x0D, 0x0A, 0x87, 0x0A]),  // JPEG 2000
    Pattern([0xFF, 0x4F, 0xFF, 0x51]),  // its bare stream
    Pattern([0, 0, 0, 0x0C, 0x4A, 0x58, 0x4C, 0x20, 0x0D, 0x0A, 0x87, 0x0A]),  // JPEG XL
    Pattern(text("qoif")), Pattern(text("8BPS\0\u{1}")),  // QOI, Photoshop
    Pattern([0x76, 0x2F, 0x31, 0x01]),  // OpenEXR
    Pattern(text("DDS ")), Pattern(text("SDPX")), Pattern(text("XPDS")),  // DDS, DPX
    Pattern([0x59, 0xA6, 0x6A, 0x95]),  // Sun raster
  ]

  private static let videos = [
    Pattern(text("GIF87a")), Pattern(text("GIF89a")),
    Pattern([0x1A, 0x45, 0xDF, 0xA3]),  // Matroska and WebM
    Pattern(text("RIFF"), at: 8, text("AVI ")), Pattern(text("RIFF"), at: 8, text("AVIX")),
    Pattern([0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11]),  // ASF and WMV
    Pattern(text("FLV\u{1}")), Pattern(text(".RMF")), Pattern(text("DKIF")),
    Pattern(text("YUV4MPEG2 ")), Pattern(text("nut/multimedia container")),
    Pattern([0x06, 0x0E, 0x2B, 0x34, 0x02, 0x05, 0x01, 0x01, 0x0D, 0x01, 0x02]),  // MXF
    Pattern([0x1F, 0x07, 0x00]),  // DV
    Pattern([0, 0, 1, 0xBA]), Pattern([0, 0, 1, 0xB3]), Pattern([0, 0, 1, 0xB0]),  // MPEG 1, 2, 4
    Pattern([0, 0, 0, 1, 0x67]), Pattern([0, 0, 1, 0x67]), Pattern([0, 0, 0, 1, 0x09]),  // H.264
    Pattern([0, 0, 0, 1, 0x40, 0x01]), Pattern([0, 0, 0, 1, 0x46, 0x01]),  // H.265
  ]

  private static func number(_ head: [UInt8], _ place: Int) -> Int {
    head[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
  }

  /// The main brands of ISO files that are not videos: raw pictures of cameras, and sound.
  private static let otherBrands: Set<String> = ["crx ", "M4A ", "M4B ", "M4P "]

  /// Whether this is a QuickTime file from before brands existed.
  private static func isOldQuickTime(_ head: [UInt8]) -> Bool {
    guard head.count >= 12 else { return false }
    let size = number(head, 0)
    let name = String(decoding: head[4..<8], as: UTF8.self)
    guard ["moov", "mdat", "wide", "free", "skip", "pnot"].contains(name) else { return false }
    return size == 0 || size == 1 || size >= 8
  }

  // MARK: - Formats without a signature of their own

  private static func isBitmap(_ head: [UInt8]) -> Bool {
    guard head.count >= 18, head.starts(with: "BM".utf8) else { return false }
    // The header has four reserved bytes, the offset of the pixels, and the size of the next
    // header.
    let header = Int(head[14]) | Int(head[15]) << 8 | Int(head[16]) << 16 | Int(head[17]) << 24
    return head[6..<10].allSatisfy { $0 == 0 } && [12, 40, 52, 56, 64, 108, 124].contains(header)
  }

  /// Whether an Ogg file contains video; most contain only sound. The first pages of the streams
  /// tell.
  private static func isOggVideo(_ head: [UInt8]) -> Bool {
    guard head.starts(with: "OggS".utf8) else { return false }
    return [[0x80] + text("theora"), text("OVP80"), text("BBCD\0")].contains { mark in
      head.indices.contains { head[$0...].starts(with: mark) }
    }
  }

  /// Whether there are five packets of 188, 192 or 204 bytes that all start with the sync byte
  /// 0x47. The first packet may be incomplete, because a recording can start within a packet.
  private static func isTransportStream(_ head: [UInt8]) -> Bool {
    [188, 192, 204].contains { length in
      (0..<length).contains { start in
        start + 4 * length < head.count
          && (0..<5).allSatisfy { head[start + $0 * length] == 0x47 }
      }
    }
  }
}
