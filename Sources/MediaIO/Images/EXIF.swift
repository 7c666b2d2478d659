/// The one thing that is read from EXIF: which way up the picture is.
package enum EXIF {
  /// The orientation that a TIFF structure's first directory states; upright where it states none or
  /// is damaged.
  package static func orientation(_ bytes: UnsafeRawBufferPointer) -> Orientation {
    guard bytes.count >= 8 else { return .upright }
    let bigEndian: Bool
    switch (bytes[0], bytes[1]) {
    case (0x49, 0x49): bigEndian = false
    case (0x4D, 0x4D): bigEndian = true
    default: return .upright
    }
    func number(_ offset: Int, bytes count: Int) -> Int? {
      guard offset >= 0, offset <= bytes.count - count else { return nil }
      return (0..<count).reduce(0) { value, i in
        value << 8 | Int(bytes[offset + (bigEndian ? i : count - 1 - i)])
      }
    }
    guard number(2, bytes: 2) == 42, let directory = number(4, bytes: 4),
      let entries = number(directory, bytes: 2)
    else { return .upright }
    for i in 0..<entries {
      let entry = directory + 2 + 12 * i
      guard let tag = number(entry, bytes: 2) else { return .upright }
      guard tag == 0x0112 else { continue }
      let isLong = number(entry + 2, bytes: 2) == 4
      let value = number(entry + 8, bytes: isLong ? 4 : 2)
      return value.flatMap(Orientation.init(rawValue:)) ?? .upright
    }
    return .upright
  }
}
