/// Why a weights file could not be used. The description names the file, the cause and the way out.
public enum WeightsError: Error, Sendable, CustomStringConvertible {
  /// The file cannot be read, is damaged, or is of no known kind.
  case unreadable(file: String, reason: String)
  /// The file holds something that dfkit does not load: code, unknown classes, unknown element
  /// types.
  case refused(file: String, found: String)
  /// The file's tensors are not those of the network.
  case mismatch(WeightsMismatch)
  /// The weights cannot be written.
  case unwritable(file: String, reason: String)

  /// The message for people.
  public var description: String {
    switch self {
    case .unreadable(let file, let reason): "\(file): cannot read weights: \(reason)"
    case .refused(let file, let found):
      "\(file): refused: it holds \(found). dfkit loads tensors and plain values only and runs no"
        + " code; save the model's state_dict instead."
    case .mismatch(let mismatch): mismatch.description
    case .unwritable(let file, let reason): "\(file): cannot write weights: \(reason)"
    }
  }
}

/// The difference between the keys and shapes that a network has and those that a file has.
public struct WeightsMismatch: Error, Sendable, CustomStringConvertible {
  /// A tensor of the right key and the wrong shape; shapes as files have them.
  public struct Misshapen: Sendable {
    /// The tensor's key.
    public var key: String
    /// The network's shape.
    public var expected: [Int]
    /// The file's shape.
    public var found: [Int]
  }

  /// The path, as it was given.
  public var file: String
  /// Keys that the network has and the file lacks.
  public var missing: [String] = []
  /// Keys that the file has and the network lacks.
  public var unused: [String] = []
  /// Tensors of another shape.
  public var misshapen: [Misshapen] = []

  /// A report on a file, without anything to report yet.
  public init(file: String) {
    self.file = file
  }

  /// Whether there is nothing to report.
  public var isEmpty: Bool { missing.isEmpty && unused.isEmpty && misshapen.isEmpty }

  /// Keys of each kind that the message names; the others are counted.
  private static let named = 6

  /// The message for people: how many keys of each kind, and the first of them.
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
      lines.append("  \(tensor.key): shape \(tensor.found), the network has \(tensor.expected)")
    }
    if misshapen.count > Self.named {
      lines.append("  and \(misshapen.count - Self.named) more of another shape")
    }
    if let (key, prefix) = prefixed {
      lines.append(
        "The file has \(key) with \(prefix) before it: save the tensors without what is before"
          + " the network's keys, and without those that are not the network's.")
    }
    lines.append("Check the architecture, the scheme, the norm and the number of classes.")
    return lines.joined(separator: "\n")
  }

  /// A missing key that the file has behind other names (`model.`), and these.
  private var prefixed: (key: String, prefix: String)? {
    guard let key = missing.first,
      let unused = unused.first(where: { $0.hasSuffix("." + key) })
    else { return nil }
    return (key, String(unused.dropLast(key.count)))
  }
}
