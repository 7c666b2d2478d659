import Foundation
import OrderedCollections

/// Named tensors in the order of a weights file, and the text that came with them.
///
/// The names of published checkpoints are brought to a network's keys here and nowhere else
/// (`renamingKeys`); layouts change when a tensor is taken out (`StoredTensor.tensor(layout:)`).
public struct StateDict: Sendable {
  /// The file, for messages; "memory" where there is none.
  public let file: String
  /// Text beside the tensors: a safetensors file's metadata, or a checkpoint's plain values (epoch,
  /// loss) as text.
  public var metadata: [String: String]
  /// The operations that the tensors are for, of an ONNX file whose keys are still its own.
  package internal(set) var graph: ONNXGraph?

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
    /// The key.
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

  /// The tensors under new keys: `rename` returns the new key, or nil for a tensor that is known not
  /// to be needed.
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
    return StateDict(file: file, tensors: renamed, metadata: metadata)
  }

  /// The tensors without `prefix`, if every key has it and something is left of each.
  func strippingCommonPrefix(_ prefix: String) -> StateDict {
    guard count > 0,
      tensors.keys.allSatisfy({ $0.hasPrefix(prefix) && $0.utf8.count > prefix.utf8.count })
    else { return self }
    var stripped = OrderedDictionary<String, StoredTensor>(minimumCapacity: tensors.count)
    for (key, tensor) in tensors { stripped[String(key.dropFirst(prefix.count))] = tensor }
    return StateDict(file: file, tensors: stripped, metadata: metadata)
  }
}
