import Foundation

/// Writes pickles instruction by instruction, and legacy checkpoints around them: what no honest
/// program would write.
public struct Pickle {
  /// What was written so far: protocol 2, and no end yet.
  public private(set) var bytes: [UInt8] = [0x80, 2]

  /// A pickle without instructions.
  public init() {}

  /// Instructions, or their arguments, as numbers.
  public mutating func code(_ codes: UInt8...) { bytes += codes }
  /// An instruction by its letter.
  public mutating func code(_ character: Unicode.Scalar) { bytes.append(UInt8(ascii: character)) }

  /// BINUNICODE.
  public mutating func text(_ text: String) {
    code("X")
    integer(UInt32(text.utf8.count))
    bytes += Array(text.utf8)
  }

  /// The bytes of a number, the lowest first.
  public mutating func integer<T: FixedWidthInteger>(_ value: T) {
    for shift in stride(from: 0, to: T.bitWidth, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> T(shift)))
    }
  }

  /// A number of at most 31 bits.
  public mutating func number(_ value: Int) {
    code("J")
    integer(Int32(value))
  }

  /// GLOBAL: a class or function by its name.
  public mutating func global(_ module: String, _ name: String) {
    bytes += Array("c\(module)\n\(name)\n".utf8)
  }

  /// `_rebuild_tensor_v2` over storage "0", or another, of `count` floats.
  public mutating func tensor(
    count: Int, offset: Int, shape: [Int], strides: [Int], storage: String = "0",
    type: String = "FloatStorage"
  ) {
    global("torch._utils", "_rebuild_tensor_v2")
    code("(")
    code("(")
    text("storage")
    global("torch", type)
    text(storage)
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

  /// A vector of six floats over a storage.
  public mutating func vector(storage: String = "0") {
    tensor(count: 6, offset: 0, shape: [6], strides: [1], storage: storage)
  }

  /// A dictionary with these text keys and what `value` writes for each.
  public mutating func dictionary(_ keys: [String], _ value: (inout Pickle, String) throws -> Void)
    rethrows
  {
    code("}")
    for key in keys {
      text(key)
      try value(&self, key)
      code("s")
    }
  }

  /// An object of a class, made without arguments, and its attributes.
  public mutating func object(
    _ module: String, _ name: String, _ keys: [String],
    _ value: (inout Pickle, String) throws -> Void
  ) rethrows {
    global(module, name)
    code(0x29, 0x81)
    try dictionary(keys, value)
    code("b")
  }

  /// INST: a call with what lies above the mark.
  public mutating func instance(_ module: String, _ name: String) {
    bytes += Array("i\(module)\n\(name)\n".utf8)
  }

  /// The zip archive that `torch.save` writes, with storages "0" and so on of these floats; with
  /// `code` what TorchScript adds, compressed.
  public func archive(storages: [[Float]] = [], code: Bool = false) -> Data {
    var zip = ZipBytes()
    zip.add("net/data.pkl", bytes + [0x2E])
    if code {
      zip.add("net/code/__torch__/net.py", [3, 0], method: 8)
      zip.add("net/constants.pkl", [0x80, 2, 0x29, 0x2E])
    }
    for (index, floats) in storages.enumerated() {
      var contents = Pickle()
      for float in floats { contents.integer(float.bitPattern) }
      zip.add("net/data/\(index)", Array(contents.bytes.dropFirst(2)))
    }
    return zip.data
  }

  /// A legacy checkpoint whose object is this pickle, with storages "0" and so on of these floats.
  public func legacyFile(storages: [[Float]] = []) -> Data {
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
