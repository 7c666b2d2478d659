import Foundation
import OrderedCollections

/// The named tensors of a weights file, in file order, with the text of the file.
///
/// Only `renamingKeys` maps the names of published checkpoints to a network's keys. Layouts are
/// converted only when a tensor is read (`StoredTensor.tensor(layout:)`).
///
/// ```swift
/// let state = try StateDict.read(file)
/// for key in state.keys { print(key, state[key]?.shape ?? []) }
/// try store.load(state)  // throws where a key is missing, unused or misshapen
/// try store.stateDict().write(safetensors: copy)
/// ```
public struct StateDict: Sendable {
  /// The file's name, for messages; "memory" if there is no file.
  public let file: String
  /// The text next to the tensors: a safetensors file's metadata, or the plain values of a
  /// checkpoint (epoch, loss) as text.
  public var metadata: [String: String]
  /// The operations that use the tensors, for an ONNX file whose keys were not renamed.
  package internal(set) var graph: ONNXGraph?
  /// The description of the checkpoint, for a PyTorch file.
  package internal(set) var checkpoint: CheckpointSummary?

  /// The keys under which training scripts store the network's name, the most specific first.
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

  /// A tensor in memory, to be added to a state dict.
  public struct Entry: Sendable {
    /// The tensor's key, as in `blocks.0.0.conv_dw.weight`.
    public var key: String
    /// The elements, in memory layout.
    public var tensor: Tensor
    /// The relation of the memory layout to the layout in files.
    public var layout: ParameterLayout

    /// Creates an entry.
    public init(_ key: String, _ tensor: Tensor, layout: ParameterLayout = .unchanged) {
      self.key = key
      self.tensor = tensor
      self.layout = layout
    }
  }

  /// Creates a state dict from tensors in memory, without copying them. The keys must be unique.
  public init(
    tensors entries: [Entry], metadata: [String: String] = [:], file: String = "memory"
  ) {
    self.init(file: file, tensors: [:], metadata: metadata)
    for entry in entries {
      precondition(tensors[entry.key] == nil, "StateDict: \(entry.key) is given twice")
      precondition(
        entry.layout.accepts(rank: entry.tensor.rank),
        "StateDict: \(entry.key) of shape \(entry.tensor.shape) is not a \(entry.layout.noun)")
      tensors[entry.key] = StoredTensor(
        file: file, key: entry.key, tensor: entry.tensor, layout: entry.layout)
    }
  }

  /// The keys, in file order.
  public var keys: [String] { Array(tensors.keys) }
  /// The number of tensors.
  public var count: Int { tensors.count }
  /// The number of elements of all tensors together.
  public var elementCount: Int { tensors.values.reduce(0) { $0 + $1.count } }

  /// The tensor with this key, or nil. Setting nil removes it.
  public subscript(key: String) -> StoredTensor? {
    get { tensors[key] }
    set { tensors[key] = newValue }
  }

  /// The tensors under new keys.
  ///
  /// - Parameter rename: Returns the new key for a key; nil removes the tensor.
  /// - Throws: `WeightsError.unreadable` if two tensors would get the same key.
  public func renamingKeys(
    _ rename: (String) -> String?
  ) throws(WeightsError) -> StateDict {
    var renamed = OrderedDictionary<String, StoredTensor>(minimumCapacity: tensors.count)
    for (key, tensor) in tensors {
      guard let new = rename(key) else { continue }
      if let other = renamed.updateValue(tensor, forKey: new) {
        throw .unreadable(
          file: file, reason: "\(other.key) and \(tensor.key) would both be renamed to \(new)")
      }
    }
    return replacingTensors(renamed)
  }

  private func replacingTensors(_ tensors: OrderedDictionary<String, StoredTensor>) -> StateDict {
    var result = StateDict(file: file, tensors: tensors, metadata: metadata)
    result.checkpoint = checkpoint
    return result
  }

  /// The tensors with `prefix` removed from their keys, if every key starts with it and is longer.
  /// Otherwise nothing changes. Keys in `others` are not checked and stay unchanged.
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

  /// The tensors without a prefix that all keys have in common: the shortest one for which
  /// `isKnown` is true. If there is none, nothing changes.
  package func strippingCommonPrefix(until isKnown: (StateDict) -> Bool) -> StateDict {
    commonPrefixes().lazy.map { strippingCommonPrefix($0) }.first(where: isKnown) ?? self
  }

  /// The common prefixes of all keys, made of whole names, the shortest first: "", "model.",
  /// "model.net.". Keys in `others` are not considered.
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
