/// Detects a text file in place of a weights file: a Git LFS pointer, or a web page or error
/// message that a server sent. No weights file starts with such text.
struct TextInPlaceOfWeights {
  /// The description of the file and the solution, to follow the file's name in a message.
  let reason: String

  /// The number of bytes to examine.
  private static let examined = 4096

  /// Nil if the bytes are not such a text.
  init?(_ bytes: UnsafeRawBufferPointer) {
    // Eight text characters read as a length are longer than any safetensors header.
    guard bytes.count >= 8, let text = Self.text(bytes) else { return nil }
    let trimmed = text.drop { $0.isWhitespace || $0 == "\u{FEFF}" }
    let lowercased = trimmed.lowercased()
    if trimmed.hasPrefix("version https://git-lfs") || trimmed.hasPrefix("version https://hawser") {
      reason = Self.pointer(trimmed)
    } else if lowercased.hasPrefix("<?xml") && !lowercased.contains("<html")
      || lowercased.hasPrefix("<error")
    {
      let parts = ["code", "message"].compactMap { Self.element($0, of: trimmed) }
      let said = parts.isEmpty ? Self.quoted(trimmed) : parts.joined(separator: ": ")
      reason =
        "it is an XML answer of a server (\(said)), not the weights; check the address and the"
        + " permission, and download the file again"
    } else if trimmed.hasPrefix("<") {
      let title = Self.element("title", of: trimmed).map { " (\"\($0)\")" } ?? ""
      reason =
        "it is a web page\(title), not the weights. Download the file again, in a browser or from"
        + " its direct address"
    } else if trimmed.hasPrefix("{") || trimmed.hasPrefix("[") {
      reason =
        lowercased.contains("\"weight_map\"")
        ? "it is the index of weights that are split into several files; merge them into one file"
          + " first"
        : "it is JSON text (\(Self.quoted(trimmed))), not the weights; if it is the answer of a"
          + " server, check the address and the permission, and download the file again"
    } else if bytes.count <= Self.examined {
      reason =
        "it is text (\(Self.quoted(trimmed))), not safetensors, a PyTorch checkpoint or an ONNX"
        + " model; download the file again"
    } else {
      return nil
    }
  }

  /// The start of a file as text; nil if it contains bytes that are not text.
  private static func text(_ bytes: UnsafeRawBufferPointer) -> String? {
    let beginning = bytes.prefix(examined)
    guard beginning.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || (9...13).contains($0) }) else {
      return nil
    }
    // The last character may be incomplete if it takes several bytes.
    return (0...min(3, beginning.count)).lazy
      .compactMap { String(validating: beginning.dropLast($0), as: UTF8.self) }.first
  }

  private static func pointer(_ text: Substring) -> String {
    func value(_ key: String) -> String? {
      text.split(whereSeparator: \.isNewline).first { $0.hasPrefix(key + " ") }
        .map { quoted($0.dropFirst(key.count + 1), marks: false) }
    }
    let size = value("size").map { " of \($0) bytes" } ?? ""
    let oid = value("oid").map { " (\($0))" } ?? ""
    return "it is a Git LFS pointer to a file\(size)\(oid), not the weights; run 'git lfs pull'"
      + " in the repository that it comes from, or download the file itself"
  }

  /// The text in the first element with this name.
  private static func element(_ name: String, of text: Substring) -> String? {
    let lowercased = text.lowercased()
    // Lowercasing may change the length of a text; such a text is not searched.
    guard lowercased.utf8.count == text.utf8.count,
      let opening = lowercased.firstRange(of: "<\(name)>"),
      let closing = lowercased[opening.upperBound...].firstRange(of: "</\(name)>")
    else { return nil }
    func place(_ index: String.Index) -> Int {
      lowercased.utf8.distance(from: lowercased.startIndex, to: index)
    }
    let bytes = Array(text.utf8)[place(opening.upperBound)..<place(closing.lowerBound)]
    let inner = String(decoding: bytes, as: UTF8.self)
    return inner.isEmpty ? nil : quoted(Substring(inner), marks: false)
  }

  /// The start of a text, with all white space reduced to single spaces.
  private static func quoted(_ text: Substring, marks: Bool = true) -> String {
    let limit = 100
    let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    let short = words.count > limit ? words.prefix(limit) + "..." : Substring(words)
    return marks ? "\"\(short)\"" : String(short)
  }
}
