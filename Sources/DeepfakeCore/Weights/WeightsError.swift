/// An error about a weights file. The description names the file, the cause and the solution.
public enum WeightsError: Error, Sendable, CustomStringConvertible {
  /// The file cannot be read, is damaged, or has an unknown format.
  case unreadable(file: String, reason: String)
  /// The file contains something that dfkit does not load: code, unknown classes or unknown element
  /// types.
  case refused(file: String, found: String)
  /// The file's tensors do not fit the network.
  case mismatch(WeightsMismatch)
  /// The weights cannot be written.
  case unwritable(file: String, reason: String)

  /// The message for users.
  public var description: String {
    switch self {
    case .unreadable(let file, let reason): "\(file): cannot read weights: \(reason)"
    case .refused(let file, let found):
      "\(file): refused: it holds \(found). dfkit loads only tensors and plain values, and never"
        + " runs code; save the model's state_dict instead."
    case .mismatch(let mismatch): mismatch.description
    case .unwritable(let file, let reason): "\(file): cannot write weights: \(reason)"
    }
  }
}

/// The difference between the keys and shapes of a network and those of a file.
public struct WeightsMismatch: Error, Sendable, CustomStringConvertible {
  /// A tensor with the right key and the wrong shape. Shapes are in file layout.
  public struct Misshapen: Sendable {
    /// The tensor's key.
    public var key: String
    /// The shape that the network needs.
    public var expected: [Int]
    /// The shape in the file.
    public var found: [Int]
  }

  /// The path of the file, as given by the caller.
  public var file: String
  /// The keys of the network that the file does not have.
  public var missing: [String] = []
  /// The keys of the file that the network does not have.
  public var unused: [String] = []
  /// The tensors with a wrong shape.
  public var misshapen: [Misshapen] = []

  /// Creates an empty report about a file.
  public init(file: String) {
    self.file = file
  }

  /// Whether there is no difference.
  public var isEmpty: Bool { missing.isEmpty && unused.isEmpty && misshapen.isEmpty }

  /// The number of keys of each kind to list in the message; the others are counted.
  private static let named = 6

  /// The message for users: the number of keys of each kind, and the first of them.
  public var description: String {
    var lines = ["\(file): the weights do not fit the network."]
    func add(_ title: String, _ keys: [String]) {
      guard !keys.isEmpty else { return }
      let rest = keys.count - Self.named
      lines.append(
        rest > 0
          ? "  \(title) \(keys.count): \(keys.prefix(Self.named).joined(separator: ", ")) and"
            + " \(rest) more"
          : "  \(title): \(keys.joined(separator: ", "))")
    }
    add("missing", missing)
    add("unused", unused)
    for tensor in misshapen.prefix(Self.named) {
      lines.append("  \(tensor.key): shape \(tensor.found), the network needs \(tensor.expected)")
    }
    if misshapen.count > Self.named {
      lines.append("  and \(misshapen.count - Self.named) more with a wrong shape")
    }
    if let (key, prefix) = prefixed {
      lines.append(
        "The file has \(key) with the prefix '\(prefix)'. Remove this prefix from the keys, and"
          + " remove tensors that do not belong to the network.")
    }
    lines.append("Check the architecture, the scheme, the norm and the number of classes.")
    return lines.joined(separator: "\n")
  }

  /// A missing key that the file has behind a prefix (`model.`), and this prefix.
  private var prefixed: (key: String, prefix: String)? {
    guard let key = missing.first,
      let unused = unused.first(where: { $0.hasSuffix("." + key) })
    else { return nil }
    return (key, String(unused.dropLast(key.count)))
  }
}
