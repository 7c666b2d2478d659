/// Paths as bytes, which need not be UTF-8.
///
/// `String` and Foundation's `URL` hold only Unicode. A byte of a name that is not UTF-8 is stored
/// as the private-use character U+10F700 plus the byte, and converted back when a file is opened.
/// No information is lost: if a name itself contains such a character, its bytes are stored in this
/// way, too.
package enum FilePath {
  private static let base: UInt32 = 0x10_F700

  /// The text for a path's bytes, which must not contain 0.
  package static func text(_ bytes: [UInt8]) -> String {
    if let text = String(validating: bytes, as: UTF8.self), !carriesBytes(text) { return text }
    var scalars = String.UnicodeScalarView()
    func carry(_ part: ArraySlice<UInt8>) {
      for byte in part {
        if let scalar = Unicode.Scalar(base + UInt32(byte)) { scalars.append(scalar) }
      }
    }
    var parser = Unicode.UTF8.ForwardParser()
    var input = bytes.makeIterator()
    var place = 0
    while true {
      switch parser.parseScalar(from: &input) {
      case .valid(let encoded):
        let scalar = UTF8.decode(encoded)
        if byte(of: scalar) == nil {
          scalars.append(scalar)
        } else {
          carry(bytes[place..<place + encoded.count])
        }
        place += encoded.count
      case .error(let length):
        carry(bytes[place..<place + length])
        place += length
      case .emptyInput:
        return String(scalars)
      }
    }
  }

  /// Calls `body` with the path's bytes, followed by a 0.
  package static func withBytes<R>(_ text: String, _ body: (UnsafePointer<CChar>) -> R) -> R {
    guard carriesBytes(text) else { return text.withCString(body) }
    var bytes: [CChar] = []
    for scalar in text.unicodeScalars {
      if let byte = byte(of: scalar) {
        bytes.append(CChar(bitPattern: byte))
      } else {
        bytes += UTF8.encode(scalar).map { $0.map { CChar(bitPattern: $0) } } ?? []
      }
    }
    bytes.append(0)
    return body(bytes)
  }

  /// The text for users and other programs: bytes that are not UTF-8 are shown as U+FFFD.
  package static func shown(_ text: String) -> String {
    guard carriesBytes(text) else { return text }
    return String(
      String.UnicodeScalarView(text.unicodeScalars.map { byte(of: $0) == nil ? $0 : "\u{FFFD}" }))
  }

  private static func carriesBytes(_ text: String) -> Bool {
    // The first UTF-8 byte of all such characters; few names contain it.
    text.utf8.contains(0xF4) && text.unicodeScalars.contains { byte(of: $0) != nil }
  }

  /// The byte that a character stores, or nil. Bytes below 128 are always valid UTF-8.
  private static func byte(of scalar: Unicode.Scalar) -> UInt8? {
    (base + 0x80...base + 0xFF).contains(scalar.value) ? UInt8(scalar.value - base) : nil
  }
}
