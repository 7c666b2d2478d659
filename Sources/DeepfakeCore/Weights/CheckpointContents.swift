import OrderedCollections

/// What a PyTorch checkpoint holds, and which of it is the network's state dict.
struct CheckpointContents {
  private let file: String
  private let pickled: Unpickler.Result
  private let storages: [StoredBytes]
  /// The dictionaries that have a tensor under a text key.
  private let holders: Set<Int>

  /// Names under which training scripts keep the state dict, the most telling first.
  private static let usualNames = [
    "state_dict", "model_state_dict", "model_state", "model", "net", "network", "module",
    "state_dict_ema", "model_ema", "ema", "params_ema", "params", "weights",
  ]

  /// How many dictionaries deep a state dict is looked for.
  private static let maximumDepth = 3

  /// `storages` are the bytes of `pickled.heap.storages`.
  init(file: String, pickled: Unpickler.Result, storages: [StoredBytes]) {
    self.file = file
    self.pickled = pickled
    self.storages = storages
    let dictionaries = pickled.heap.dictionaries
    holders = Set(
      dictionaries.indices.filter { index in
        dictionaries[index].items.contains { item in
          if case .tensor = item.value, case .string = item.key { true } else { false }
        }
      })
  }

  private var heap: PickleHeap { pickled.heap }

  /// The state dict called `entry` (names joined by "/" where it lies deeper), or the one that is found
  /// under the usual names. The plain values on the way to it become metadata.
  func stateDict(entry: String?) throws(WeightsError) -> StateDict {
    // Every tensor is checked, those that are not wanted too: a damaged file is not to be trusted.
    var tensors: [StoredTensor] = []
    tensors.reserveCapacity(heap.tensors.count)
    for (index, tensor) in heap.tensors.enumerated() {
      tensors.append(
        try StoredTensor(
          file: file, key: "tensor \(index)", dtype: tensor.type, shape: tensor.shape,
          strides: tensor.strides, offset: tensor.offset, storage: storages[tensor.storage]))
    }
    var metadata: [String: String] = [:]
    var value = pickled.root
    if let entry {
      for name in entry.split(separator: "/").map(String.init) {
        guard case .dictionary(let index) = value, let next = heap.dictionaries[index][name] else {
          throw .unreadable(file: file, reason: "the checkpoint has no entry \(entry)")
        }
        collect(heap.dictionaries[index], &metadata)
        value = next
      }
    } else {
      for _ in 0..<Self.maximumDepth {
        guard case .dictionary(let index) = value,
          let next = try nested(in: index)
        else { break }
        collect(heap.dictionaries[index], &metadata)
        value = next
      }
    }
    guard case .dictionary(let index) = value else {
      throw .unreadable(
        file: file, reason: "it holds \(value.noun) where a state dict was expected")
    }
    return try stateDict(heap.dictionaries[index], tensors, metadata)
  }

  /// The entry of a checkpoint that leads to a state dict; nil if `dictionary` is one itself.
  private func nested(
    in index: Int
  ) throws(WeightsError) -> PickleValue? {
    let dictionary = heap.dictionaries[index]
    for name in Self.usualNames {
      if let value = dictionary[name], leadsToTensors(value, depth: Self.maximumDepth) {
        return value
      }
    }
    if holders.contains(index) { return nil }
    let others = dictionary.items.filter { leadsToTensors($0.value, depth: 1) }
    guard others.count <= 1 else {
      let names = others.prefix(8).compactMap(\.key.text).joined(separator: ", ")
      throw .unreadable(
        file: file,
        reason: "it holds several state dicts (\(names)); save the one you need on its own")
    }
    return others.first?.value
  }

  /// Whether `value` is a state dict, or a checkpoint with one under a usual name.
  private func leadsToTensors(_ value: PickleValue, depth: Int) -> Bool {
    guard depth > 0, case .dictionary(let index) = value else { return false }
    if holders.contains(index) { return true }
    let dictionary = heap.dictionaries[index]
    return Self.usualNames.contains { name in
      dictionary[name].map { leadsToTensors($0, depth: depth - 1) } ?? false
    }
  }

  private func collect(_ dictionary: PickleDictionary, _ metadata: inout [String: String]) {
    for (key, value) in dictionary.items {
      if let key = key.text, let text = value.text { metadata[key] = text }
    }
  }

  private func stateDict(
    _ dictionary: PickleDictionary, _ tensors: [StoredTensor], _ metadata: [String: String]
  ) throws(WeightsError) -> StateDict {
    var metadata = metadata
    var visited = Visited()
    var named = OrderedDictionary<String, StoredTensor>(minimumCapacity: dictionary.items.count)
    for (key, value) in dictionary.items {
      if case .tensor(let index) = value {
        guard case .string(let name) = key else {
          throw .unreadable(file: file, reason: "it holds a tensor under \(key.noun) for a key")
        }
        named[name] = tensors[index].named(name)
      } else if holdsTensorsSomewhere(value, &visited) {
        throw .unreadable(
          file: file,
          reason: "\(key.text ?? "an entry") beside the tensors holds further tensors in"
            + " \(value.noun); save the state_dict of one network")
      } else if let name = key.text, let text = value.text {
        metadata[name] = text
      }
    }
    guard !named.isEmpty else {
      throw .unreadable(file: file, reason: "it holds no tensors")
    }
    return StateDict(file: file, tensors: named, metadata: metadata)
  }

  /// Whether a tensor can be reached from `value`. Visits every container once, without recursion;
  /// `visited` carries over from one entry to the next, so that shared containers cost nothing.
  private func holdsTensorsSomewhere(_ value: PickleValue, _ visited: inout Visited) -> Bool {
    var pending = [value]
    while let next = pending.popLast() {
      switch next {
      case .tensor, .storage: return true
      case .tuple(let index), .list(let index):
        if visited.sequences.insert(index).inserted { pending += heap.sequences[index] }
      case .dictionary(let index):
        if visited.dictionaries.insert(index).inserted {
          for (key, value) in heap.dictionaries[index].items { pending += [key, value] }
        }
      default: break
      }
    }
    return false
  }

  private struct Visited {
    var sequences: Set<Int> = []
    var dictionaries: Set<Int> = []
  }
}
