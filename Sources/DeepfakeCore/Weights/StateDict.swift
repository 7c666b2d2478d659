import Foundation
import OrderedCollections

/// Named tensors in the order of a weights file, and the text that came with them.
///
/// The names of published checkpoints are brought to a network's keys here and nowhere else
/// (`renamingKeys`); layouts change when a tensor is taken out (`StoredTensor.tensor(layout:)`).
///
/// ```swift
/// let state = try StateDict.read(file)
/// for key in state.keys { print(key, state[key]?.shape ?? []) }
/// try store.load(state)  // throws where a key is missing, unused or misshapen
/// try store.stateDict().write(safetensors: copy)
/// ```
public struct StateDict: Sendable {
  /// The file, for messages; "memory" where there is none.
  public let file: String
  /// Text beside the tensors: a safetensors file's metadata, or a checkpoint's plain values (epoch,
  /// loss) as text.
  public var metadata: [String: String]
  /// The operations that the tensors are for, of an ONNX file whose keys are still its own.
  package internal(set) var graph: ONNXGraph?
  /// What else the file holds, where it is a PyTorch checkpoint.
  package internal(set) var checkpoint: CheckpointSummary?

  /// Keys under which training scripts write which network it is, the most telling first.
  package static let networkKeys = [
    "arch", "architecture", "model", "model_name", "model_arch", "arch_name", "timm_model",
    "network", "net", "backbone", "backbone_name", "encoder", "encoder_name",
  ]

  private var tensors: OrderedDictionary<String, StoredTensor>

  init(
    file: String, tensors: OrderedDictionary<String, StoredTensor>,
    metadata: [String: String] = [:]
  ) {
    self.file = file
    self.tensors = tensors
    self.metadata = metadata
  }

  /// One tensor in memory on its way into a state dict.
  public struct Entry: Sendable {
    /// The key in the recipe, as in `crop.margin`.
    public var key: String
    /// The elements, in memory layout.
    public var tensor: Tensor
    /// How memory layout relates to that of files.
    public var layout: ParameterLayout

    /// A tensor under `key`.
    public init(_ key: String, _ tensor: Tensor, layout: ParameterLayout = .unchanged) {
      self.key = key
      self.tensor = tensor
      self.layout = layout
    }
  }

  /// A state dict of tensors in memory, which are not copied. No two keys may be the same.
  public init(
    tensors entries: [Entry], metadata: [String: String] = [:], file: String = "memory"
  ) {
    self.init(file: file, tensors: [:], metadata: metadata)
    for entry in entries {
      precondition(tensors[entry.key] == nil, "StateDict: \(entry.key) is given twice")
      precondition(
        entry.layout.accepts(rank: entry.tensor.rank),
        "StateDict: \(entry.key) of shape \(entry.tensor.shape) is no \(entry.layout.noun)")
      tensors[entry.key] = StoredTensor(
        file: file, key: entry.key, tensor: entry.tensor, layout: entry.layout)
    }
  }

  /// The keys in file order.
  public var keys: [String] { Array(tensors.keys) }
  /// The number of tensors.
  public var count: Int { tensors.count }
  /// Elements of all tensors together.
  public var elementCount: Int { tensors.values.reduce(0) { $0 + $1.count } }

  /// The tensor of that key; setting nil removes it.
  public subscript(key: String) -> StoredTensor? {
    get { tensors[key] }
    set { tensors[key] = newValue }
  }

  /// The tensors under new keys: `rename` returns the new key, or nil for a tensor that is known
  /// not to be needed.
  /// - Throws: `WeightsError.unreadable` when two tensors would get the same key.
  public func renamingKeys(
    _ rename: (String) -> String?
  ) throws(WeightsError) -> StateDict {
    var renamed = OrderedDictionary<String, StoredTensor>(minimumCapacity: tensors.count)
    for (key, tensor) in tensors {
      guard let new = rename(key) else { continue }
      if let other = renamed.updateValue(tensor, forKey: new) {
        throw .unreadable(
          file: file, reason: "\(other.key) and \(tensor.key) would both be \(new) here")
      }
    }
    return replacingTensors(renamed)
  }

  private func replacingTensors(_ tensors: OrderedDictionary<String, StoredTensor>) -> StateDict {
    var result = StateDict(file: file, tensors: tensors, metadata: metadata)
    result.checkpoint = checkpoint
    return result
  }

  /// The tensors without `prefix`, if every key has it and something is left of each; keys that are
  /// in `others` count for neither and stay.
  package func strippingCommonPrefix(
    _ prefix: String, others: Set<String> = []
  ) -> StateDict {
    var stripped = OrderedDictionary<String, StoredTensor>(minimumCapacity: tensors.count)
    for (key, tensor) in tensors {
      if others.contains(key) {
        stripped[key] = tensor
      } else if key.hasPrefix(prefix), key.utf8.count > prefix.utf8.count {
        stripped[String(key.dropFirst(prefix.count))] = tensor
      } else {
        return self
      }
    }
    return stripped.count == count ? replacingTensors(stripped) : self
  }

  /// The tensors without what every key begins with, as much of that as it takes for `isKnown` to
  /// hold; as they are where it never does.
  package func strippingCommonPrefix(until isKnown: (StateDict) -> Bool) -> StateDict {
    commonPrefixes().lazy.map { strippingCommonPrefix($0) }.first(where: isKnown) ?? self
  }

  /// What every key begins with, in whole names, the shortest first: "", "model.", "model.net.".
  /// Keys that are in `others` do not count.
  package func commonPrefixes(others: Set<String> = []) -> [String] {
    let keys = tensors.keys.filter { !others.contains($0) }
    guard let first = keys.first else { return [""] }
    var names = first.split(separator: ".", omittingEmptySubsequences: false).dropLast()
    for key in keys where !names.isEmpty {
      let own = key.split(separator: ".", omittingEmptySubsequences: false).dropLast()
      let shared = zip(names, own).prefix { $0 == $1 }.count
      names = names.prefix(shared)
    }
    return (0...names.count).map { count in
      names.prefix(count).map { $0 + "." }.joined()
    }
  }
}
