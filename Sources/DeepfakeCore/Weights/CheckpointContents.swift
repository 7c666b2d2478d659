import OrderedCollections

/// The contents of a PyTorch checkpoint, and the search for the network's state dict in them.
struct CheckpointContents {
  let file: String
  let pickled: Unpickler.Result
  private let storages: [StoredBytes]
  /// The indices of the dictionaries that have a tensor under a text key.
  let holders: Set<Int>

  /// Modules of Python's own classes for plain values. Such objects next to tensors are ignored; an
  /// object of any other class may be a tensor of an unknown kind.
  private static let plainModules: Set<String> = [
    "argparse", "pathlib", "datetime", "collections", "decimal", "fractions", "uuid", "types",
  ]

  /// `storages` holds the bytes of `pickled.heap.storages`.
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

  var heap: PickleHeap { pickled.heap }

  /// The state dict named `entry` (see `place(named:)`); nil: the one under the usual names. Plain
  /// values on the path to it become metadata.
  func stateDict(entry: String?) throws(WeightsError) -> StateDict {
    let tensors = try storedTensors()
    let place: Place
    if let entry {
      place = try self.place(named: entry)
    } else {
      place = try usualPlace(below: Place(value: pickled.root))
    }
    var metadata: [String: String] = [:]
    for dictionary in place.passed { collect(dictionary, &metadata) }
    guard case .dictionary(let index) = place.value else {
      if let name = heap.foreignName(place.value) { throw .refused(file: file, found: name) }
      throw .unreadable(
        file: file, reason: "it holds \(place.value.noun) where a state dict was expected")
    }
    var state = try stateDict(heap.dictionaries[index], tensors, metadata)
    state.checkpoint = CheckpointSummary(
      state: place.name,
      others: states.filter { $0.name != place.name ?? "" },
      passedOver: Array(heap.foreignNames))
    return state
  }

  /// The tensors of a TorchScript module and its submodules, under the names that PyTorch's
  /// `state_dict()` gives them. The modules are only data here; the code of their classes is not
  /// read.
  func moduleTensors() throws(WeightsError) -> StateDict {
    let tensors = try storedTensors()
    var named: OrderedDictionary<String, StoredTensor> = [:]
    var pending: [(prefix: String, module: PickleValue)] = [("", pickled.root)]
    var steps = 0
    while let (prefix, module) = pending.popLast() {
      var children: [(String, PickleValue)] = []
      for (key, value) in heap.entries(module)?.items ?? [] {
        steps += 1
        // Modules may contain each other in a cycle, or the same module many times.
        guard steps <= Unpickler.maximumTensors, prefix.utf8.count <= 1000 else {
          throw .refused(file: file, found: "modules that contain each other many times")
        }
        guard let key = key.text else { continue }
        switch value {
        case .tensor(let index): named[prefix + key] = tensors[index].named(prefix + key)
        case .object: children.append((prefix + key + ".", value))
        default: break
        }
      }
      pending += children.reversed()
    }
    guard !named.isEmpty else {
      throw .unreadable(
        file: file,
        reason: "it is a TorchScript archive whose modules hold no tensors (torch.jit.freeze puts"
          + " them into the code); in Python, save the state_dict() of the model that it was made"
          + " from with torch.save")
    }
    var state = StateDict(file: file, tensors: named)
    state.checkpoint = CheckpointSummary(
      passedOver: heap.foreignNames.filter { !$0.hasPrefix("__torch__.") }, isTorchScript: true)
    return state
  }

  /// All tensors of the checkpoint, each checked. Even tensors that are not needed are checked,
  /// because a damaged file cannot be trusted.
  private func storedTensors() throws(WeightsError) -> [StoredTensor] {
    var tensors: [StoredTensor] = []
    tensors.reserveCapacity(heap.tensors.count)
    for (index, tensor) in heap.tensors.enumerated() {
      tensors.append(
        try StoredTensor(
          file: file, key: "tensor \(index)", dtype: tensor.type, shape: tensor.shape,
          strides: tensor.strides, offset: tensor.offset, storage: storages[tensor.storage]))
    }
    return tensors
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
          throw .unreadable(file: file, reason: "the key of a tensor is \(key.noun), not text")
        }
        named[name] = tensors[index].named(name)
      } else if let name = heap.foreignName(value), !Self.isPlain(name) {
        throw .refused(file: file, found: name)
      } else if reachesTensors(value, &visited) {
        throw .unreadable(
          file: file,
          reason: "\(key.text ?? "an entry") next to the tensors contains more tensors, in"
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

  static func isPlain(_ name: String) -> Bool {
    plainModules.contains(String(name.prefix { $0 != "." }))
  }

  /// Whether a tensor can be reached from `value`. Each container is visited only once and without
  /// recursion; pass the same `visited` for several entries, so that shared containers are skipped.
  func reachesTensors(_ value: PickleValue, _ visited: inout Visited) -> Bool {
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
      case .object(let index):
        if visited.objects.insert(index).inserted {
          pending += heap.objects[index].parts
          if let state = heap.objects[index].state { pending.append(state) }
          if let entries = heap.objects[index].entries { pending.append(.dictionary(entries)) }
        }
      default: break
      }
    }
    return false
  }

  struct Visited {
    var sequences: Set<Int> = []
    var dictionaries: Set<Int> = []
    var objects: Set<Int> = []
  }
}
