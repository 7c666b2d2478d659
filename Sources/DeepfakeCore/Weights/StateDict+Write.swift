import Foundation

extension StateDict {
  /// Writes a safetensors file with the tensors in order and in file layout. Floating-point tensors
  /// are written as `dtype`, integers and truth values in their own type.
  ///
  /// The file is written under a temporary name in the same folder and then renamed, so it is never
  /// incomplete. Rounding is to the nearest value, ties to even.
  ///
  /// - Parameters:
  ///   - url: The file to write; an existing one is replaced.
  ///   - metadata: The text entries of the header; nil: the state dict's own metadata.
  ///   - dtype: `.f32`, `.f16` or `.bf16`.
  /// - Throws: `WeightsError.unwritable` if writing fails, or if a finite value would become
  ///   infinite as `.f16`.
  public func write(
    safetensors url: URL, metadata: [String: String]? = nil, dtype: ElementType = .f32
  ) throws(WeightsError) {
    precondition(
      [.f32, .f16, .bf16].contains(dtype), "StateDict.write: dtype \(dtype) cannot be written")
    let name = url.relativePath
    guard url.isFileURL else {
      throw .unwritable(file: name, reason: "it is not a path on this computer")
    }
    let file = try OutputFile(url, failure: WeightsError.unwritable)
    try file.write(safetensorsHeader(metadata: metadata ?? self.metadata, dtype: dtype))
    for key in keys {
      guard let stored = self[key] else { continue }
      try file.write(stored.bytes(as: savedType(stored, dtype), key: key, writing: name))
    }
    try file.close()
  }

  private func savedType(_ stored: StoredTensor, _ dtype: ElementType) -> ElementType {
    stored.dtype.isFloatingPoint ? dtype : stored.dtype
  }

  /// The header's length and JSON, padded with spaces so that the tensors start at a multiple of
  /// eight.
  private func safetensorsHeader(metadata: [String: String], dtype: ElementType) -> [UInt8] {
    var members: [String] = []
    if !metadata.isEmpty {
      let fields = metadata.sorted { $0.key < $1.key }.map {
        "\(Self.quoted($0.key)):\(Self.quoted($0.value))"
      }
      members.append("\"__metadata__\":{\(fields.joined(separator: ","))}")
    }
    var end = 0
    for key in keys {
      guard let stored = self[key] else { continue }
      let type = savedType(stored, dtype)
      let start = end
      end += stored.count * type.size
      let shape = stored.shape.map(String.init).joined(separator: ",")
      members.append(
        "\(Self.quoted(key)):{\"dtype\":\"\(type.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(start),\(end)]}")
    }
    var json = Array("{\(members.joined(separator: ","))}".utf8)
    while json.count % 8 != 0 { json.append(0x20) }
    let length = UInt64(json.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + json
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\0"..<" ":
        let hex = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

extension StoredTensor {
  /// The elements in file order as `dtype`: the tensor's own type, or one of `.f32`, `.f16` and
  /// `.bf16`.
  ///
  /// - Parameters:
  ///   - dtype: The type to write.
  ///   - key: The tensor's name in errors; nil: its own key.
  ///   - file: The file to write, for errors.
  /// - Throws: `WeightsError.unwritable` if a finite value would become infinite as `.f16`.
  func bytes(
    as dtype: ElementType, key: String? = nil, writing file: String
  ) throws(WeightsError) -> [UInt8] {
    guard self.dtype != dtype else { return rawBytes() }
    let values = try tensor()
    let overflows = values.withUnsafeBuffer { values in
      dtype == .f16 && values.contains { $0.isFinite && abs($0) >= 65520 }
    }
    guard !overflows else {
      throw .unwritable(
        file: file,
        reason: "\(key ?? self.key) has values outside the range of F16; write BF16 or F32 instead")
    }
    return values.withUnsafeBuffer { values in
      [UInt8](unsafeUninitializedCapacity: values.count * dtype.size) { bytes, written in
        written = values.count * dtype.size
        guard let source = values.baseAddress, let target = bytes.baseAddress else { return }
        let view = StridedView(dense: [values.count])
        switch dtype {
        case .f16: StridedCopy<FloatToHalf>.copy(view, from: source, toBytes: target)
        case .bf16: StridedCopy<FloatToBfloat>.copy(view, from: source, toBytes: target)
        default: StridedCopy<Unconverted<Float>>.copy(view, from: source, toBytes: target)
        }
      }
    }
  }
}
