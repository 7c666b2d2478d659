/// A reader of EXIF data; it reads only the orientation of the picture.
package enum EXIF {
  /// The orientation in the first directory of a TIFF structure; nil if it has none or is damaged.
  /// The structure may follow JPEG's name for the block, `Exif`.
  package static func orientation(_ block: UnsafeRawBufferPointer) -> Orientation? {
    let name: [UInt8] = [0x45, 0x78, 0x69, 0x66, 0, 0]
    let bytes = UnsafeRawBufferPointer(
      rebasing: block.dropFirst(block.starts(with: name) ? name.count : 0))
    guard bytes.count >= 8 else { return nil }
    let bigEndian: Bool
    switch (bytes[0], bytes[1]) {
    case (0x49, 0x49): bigEndian = false
    case (0x4D, 0x4D): bigEndian = true
    default: return nil
    }
    func number(_ offset: Int, bytes count: Int) -> Int? {
      guard offset >= 0, offset <= bytes.count - count else { return nil }
      return (0..<count).reduce(0) { value, i in
        value << 8 | Int(bytes[offset + (bigEndian ? i : count - 1 - i)])
      }
    }
    guard number(2, bytes: 2) == 42, let directory = number(4, bytes: 4),
      let entries = number(directory, bytes: 2)
    else { return nil }
    for i in 0..<entries {
      let entry = directory + 2 + 12 * i
      guard let tag = number(entry, bytes: 2) else { return nil }
      guard tag == 0x0112 else { continue }
      let isLong = number(entry + 2, bytes: 2) == 4
      let value = number(entry + 8, bytes: isLong ? 4 : 2)
      return value.flatMap(Orientation.init(rawValue:))
    }
    return nil
  }

  /// The orientation in the text form that ImageMagick writes to PNG files: a line with the name of
  /// the block, a line with the number of its bytes, and the bytes as hexadecimal digits.
  package static func orientation(rawProfile text: UnsafeRawBufferPointer) -> Orientation? {
    let lines = text.prefix(Self.longestBlock).split(separator: UInt8(ascii: "\n"))
    var digits: [UInt8] = []
    for line in lines.dropFirst(2) {
      for byte in line {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digits.append(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digits.append(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digits.append(byte - UInt8(ascii: "A") + 10)
        default: break
        }
      }
    }
    let bytes = (0..<digits.count / 2).map { digits[2 * $0] << 4 | digits[2 * $0 + 1] }
    return bytes.withUnsafeBytes { orientation($0) }
  }

  /// The number of characters to read. The orientation is in the block's first directory.
  private static let longestBlock = 1 << 20
}

/// A reader of XMP, Adobe's XML metadata of pictures; it reads only the orientation.
package enum XMP {
  /// The value of `tiff:Orientation`, as an attribute or an element; nil if there is none.
  package static func orientation(_ text: UnsafeRawBufferPointer) -> Orientation? {
    let bytes = Array(text.prefix(Self.longestText))
    let name = Array("tiff:Orientation".utf8)
    var place = 0
    while place + name.count < bytes.count {
      guard bytes[place] == name[0], bytes[place..<place + name.count].elementsEqual(name) else {
        place += 1
        continue
      }
      place += name.count
      let spaces: [UInt8] = [0x20, 0x09, 0x0A, 0x0D]
      let signs = Array("=>\"'".utf8)
      let value = bytes[place...].prefix(16).drop { spaces.contains($0) || signs.contains($0) }
      if let digit = value.first, (0x31...0x38).contains(digit) {
        return Orientation(rawValue: Int(digit - 0x30))
      }
    }
    return nil
  }

  /// The number of bytes to search.
  private static let longestText = 1 << 20
}
