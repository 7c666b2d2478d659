import Foundation

/// Writes pickles instruction by instruction, and legacy checkpoints around them: what no honest program
/// would write.
struct Pickle {
  private(set) var bytes: [UInt8] = [0x80, 2]

  mutating func code(_ codes: UInt8...) { bytes += codes }
  mutating func code(_ character: Unicode.Scalar) { bytes.append(UInt8(ascii: character)) }

  mutating func text(_ text: String) {
    code("X")
    integer(UInt32(text.utf8.count))
    bytes += Array(text.utf8)
  }

  mutating func integer<T: FixedWidthInteger>(_ value: T) {
    for shift in stride(from: 0, to: T.bitWidth, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> T(shift)))
    }
  }

  /// A number of at most 31 bits.
  mutating func number(_ value: Int) {
    code("J")
    integer(Int32(value))
  }

  mutating func global(_ module: String, _ name: String) {
    bytes += Array("c\(module)\n\(name)\n".utf8)
  }

  /// `_rebuild_tensor_v2` over storage "0" of `count` floats.
  mutating func tensor(count: Int, offset: Int, shape: [Int], strides: [Int]) {
    global("torch._utils", "_rebuild_tensor_v2")
    code("(")
    code("(")
    text("storage")
    global("torch", "FloatStorage")
    text("0")
    text("cpu")
    number(count)
    code("N")
    code("t")
    code("Q")
    number(offset)
    for list in [shape, strides] {
      code("(")
      for value in list {
        code(0x8A, 8)
        integer(Int64(value))
      }
      code("t")
    }
    code(0x89)
    global("collections", "OrderedDict")
    code(")")
    code("R")
    code("t")
    code("R")
  }

  /// A legacy checkpoint whose object is this pickle, with storages "0" and so on of these floats.
  func legacyFile(storages: [[Float]] = []) -> Data {
    var file: [UInt8] = [
      0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
      0x80, 2, 0x4D, 0xE9, 3, 0x2E, 0x80, 2, 0x7D, 0x2E,
    ]
    file += bytes + [0x2E]
    var keys = Pickle()
    keys.code("]")
    for index in storages.indices {
      keys.text("\(index)")
      keys.code("a")
    }
    file += keys.bytes + [0x2E]
    var contents = Pickle()
    for floats in storages {
      contents.integer(Int64(floats.count))
      for float in floats { contents.integer(float.bitPattern) }
    }
    return Data(file + contents.bytes.dropFirst(2))
  }
}
