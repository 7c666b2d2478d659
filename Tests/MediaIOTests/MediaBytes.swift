import Foundation

/// Files that tests make byte by byte, out of fixtures or from nothing.
enum MediaBytes {
  static func bigEndian(_ value: Int, _ count: Int) -> Data {
    Data((0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) })
  }

  static func littleEndian(_ value: Int, _ count: Int) -> Data {
    Data(bigEndian(value, count).reversed())
  }

  /// A box of ISO/IEC 14496-12.
  static func box(_ kind: String, _ content: Data) -> Data {
    bigEndian(content.count + 8, 4) + Data(kind.utf8) + content
  }

  /// A box with a version and flags.
  static func fullBox(_ kind: String, version: Int = 0, flags: Int = 0, _ content: Data) -> Data {
    box(kind, bigEndian(version, 1) + bigEndian(flags, 3) + content)
  }

  // MARK: - MP4

  /// An MP4 whose index stands at its end, with a box added to the description of its first track's
  /// frames.
  static func mp4(_ data: Data, addingToFrames added: Data) -> Data? {
    var result = [UInt8](data)
    var range = 0..<result.count
    var starts: [Int] = []
    // What stands before the boxes inside of these: nothing, a count, or the fields of a frame.
    let path = [
      ("moov", 8), ("trak", 8), ("mdia", 8), ("minf", 8), ("stbl", 8), ("stsd", 16), ("avc1", 86),
    ]
    for (kind, head) in path {
      var place = range.lowerBound
      func size() -> Int { result[place..<place + 4].reduce(0) { $0 << 8 | Int($1) } }
      while place + 8 <= range.upperBound,
        !result[place + 4..<place + 8].elementsEqual(Array(kind.utf8))
      { place += size() }
      guard place + 8 <= range.upperBound else { return nil }
      starts.append(place)
      range = place + head..<place + size()
    }
    result.insert(contentsOf: added, at: range.upperBound)
    for start in starts {
      let size = result[start..<start + 4].reduce(0) { $0 << 8 | Int($1) } + added.count
      result.replaceSubrange(start..<start + 4, with: bigEndian(size, 4))
    }
    return Data(result)
  }

  /// An MP4 whose first track's frames have pixels of a width and height.
  static func mp4(_ data: Data, pixels width: Int, _ height: Int) -> Data? {
    mp4(data, addingToFrames: box("pasp", bigEndian(width, 4) + bigEndian(height, 4)))
  }

  /// An MP4 whose first track is turned by a quarter clockwise.
  static func mp4Turned(_ data: Data) -> Data? {
    guard let header = data.range(of: Data("tkhd".utf8)) else { return nil }
    let matrix = [0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30]
    let start = header.upperBound + 40
    var result = data
    result.replaceSubrange(
      start..<start + 36, with: matrix.reduce(Data()) { $0 + bigEndian($1, 4) })
    return result
  }

  // MARK: - Transport streams

  /// A transport stream whose pictures' timestamps, 33 bits of 1/90000 s, are later by `ticks`.
  static func transportStream(_ data: Data, laterBy ticks: Int) -> Data {
    var result = [UInt8](data)
    func move(_ place: Int) {
      // Three, fifteen and fifteen bits, each followed by a bit that is set.
      let b = result[place..<place + 5].map(Int.init)
      let high = (b[0] >> 1 & 7) << 30
      let middle = b[1] << 22 | (b[2] >> 1) << 15
      let old = high | middle | b[3] << 7 | b[4] >> 1
      let new = (old + ticks) & ((1 << 33) - 1)
      result[place] = UInt8(b[0] & 0xF1 | (new >> 30 & 7) << 1)
      result[place + 1] = UInt8(new >> 22 & 0xFF)
      result[place + 2] = UInt8((new >> 15 & 0x7F) << 1 | 1)
      result[place + 3] = UInt8(new >> 7 & 0xFF)
      result[place + 4] = UInt8((new & 0x7F) << 1 | 1)
    }
    for packet in stride(from: 0, to: result.count - 187, by: 188) {
      // A packet with which a picture begins; a field of a length of its own may stand before it.
      guard result[packet] == 0x47, result[packet + 1] & 0x40 != 0 else { continue }
      let start = packet + 4 + (result[packet + 3] & 0x20 != 0 ? 1 + Int(result[packet + 4]) : 0)
      guard start + 19 <= packet + 188, result[start..<start + 3].elementsEqual([0, 0, 1]),
        result[start + 3] & 0xF0 == 0xE0
      else { continue }
      if result[start + 7] & 0x80 != 0 { move(start + 9) }
      if result[start + 7] & 0xC0 == 0xC0 { move(start + 14) }
    }
    return Data(result)
  }

  // MARK: - AVI

  /// An AVI of JPEG pictures; nil stands for the picture before it, shown once more.
  static func avi(_ pictures: [Data?], width: Int, height: Int, rate: Int) -> Data {
    func chunk(_ name: String, _ content: Data) -> Data {
      var chunk = Data(name.utf8)
      chunk += littleEndian(content.count, 4)
      chunk += content
      return chunk + Data(count: content.count % 2)
    }
    func list(_ name: String, _ content: Data) -> Data { chunk("LIST", Data(name.utf8) + content) }
    func numbers(_ values: [Int]) -> Data { values.reduce(Data()) { $0 + littleEndian($1, 4) } }
    let count = pictures.count
    let main = numbers(
      [1_000_000 / rate, 0, 0, 0x10, count, 0, 1, 0, width, height, 0, 0, 0, 0])
    var stream = Data("vidsMJPG".utf8)
    stream += numbers([0, 0, 0, 1, rate, 0, count, 0, -1, 0])
    for number in [0, 0, width, height] { stream += littleEndian(number, 2) }
    var format = numbers([40, width, height])
    for number in [1, 24] { format += littleEndian(number, 2) }
    format += Data("MJPG".utf8)
    format += numbers([width * height * 3, 0, 0, 0, 0])
    var frames = Data()
    var index = Data()
    for picture in pictures {
      index += Data("00dc".utf8)
      index += numbers([0x10, frames.count + 4, picture?.count ?? 0])
      frames += chunk("00dc", picture ?? Data())
    }
    let headers = list(
      "hdrl",
      chunk("avih", main) + list("strl", chunk("strh", stream) + chunk("strf", format)))
    var file = Data("AVI ".utf8)
    file += headers
    file += list("movi", frames)
    file += chunk("idx1", index)
    return chunk("RIFF", file)
  }

  // MARK: - PNG

  /// A PNG with a chunk put behind its header.
  static func png(_ data: Data, adding kind: String, _ content: Data) -> Data {
    var result = data
    let body = Data(kind.utf8) + content
    let chunk = bigEndian(content.count, 4) + body + bigEndian(Int(crc32(body)), 4)
    result.insert(contentsOf: chunk, at: result.startIndex + 33)
    return result
  }

  private static func crc32(_ data: Data) -> UInt32 {
    var sum = ~UInt32(0)
    for byte in data {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 1 ? (sum >> 1) ^ 0xEDB8_8320 : sum >> 1 }
    }
    return ~sum
  }

  /// zlib's form of bytes, without making them fewer.
  static func stored(_ data: Data) -> Data {
    var (low, high) = (1, 0)
    for byte in data {
      low = (low + Int(byte)) % 65521
      high = (high + low) % 65521
    }
    var result = Data([0x78, 0x01, 0x01])
    result += littleEndian(data.count, 2)
    result += littleEndian(~data.count, 2)
    result += data
    return result + bigEndian(high << 16 | low, 4)
  }

  /// A block of EXIF that states an orientation and nothing else.
  static func exif(_ orientation: Int) -> Data {
    var bytes: [UInt8] = [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0]
    bytes.append(UInt8(orientation))
    bytes.append(contentsOf: [0, 0, 0, 0, 0, 0])
    return Data(bytes)
  }
}
