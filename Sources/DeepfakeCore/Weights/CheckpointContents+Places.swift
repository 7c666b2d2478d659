/// Finding the state dicts of a checkpoint, and the one to read.
extension CheckpointContents {
  /// A value of the checkpoint, with the path that leads to it.
  struct Place {
    var value: PickleValue
    /// The names of the entries on the path.
    var names: [String] = []
    /// The dictionaries that contain these entries.
    var passed: [PickleDictionary] = []

    /// The names joined by "/"; nil for the checkpoint itself.
    var name: String? { names.isEmpty ? nil : names.joined(separator: "/") }
  }

  /// The names under which training scripts store the state dict, the most specific first.
  private static let usualNames = [
    "state_dict", "model_state_dict", "model_state", "model", "net", "network", "module",
    "state_dict_ema", "model_ema", "ema", "params_ema", "params", "weights",
  ]

  /// The maximum number of nested dictionaries in which to look for a state dict.
  private static let maximumDepth = 3

  /// Every state dict that can be reached through text keys, except the states of optimizers.
  var states: [CheckpointSummary.State] {
    var found: [CheckpointSummary.State] = []
    var visited: Set<Int> = []
    var level: [Place] = [Place(value: pickled.root)]
    for _ in 0...Self.maximumDepth {
      var next: [Place] = []
      for place in level {
        guard case .dictionary(let index) = place.value, visited.insert(index).inserted else {
          continue
        }
        let items = heap.dictionaries[index].items
        if holders.contains(index) {
          let tensors = items.count { if case .tensor = $0.value { true } else { false } }
          found.append(CheckpointSummary.State(name: place.name ?? "", tensors: tensors))
        }
        for case (.string(let name), .dictionary(let inner)) in items {
          if name.lowercased().contains("optim") { continue }
          next.append(Place(value: .dictionary(inner), names: place.names + [name]))
        }
      }
      level = next
    }
    return found
  }

  /// The state dict under the usual names, starting from `place`.
  func usualPlace(below place: Place) throws(WeightsError) -> Place {
    var place = place
    for _ in 0..<Self.maximumDepth {
      guard case .dictionary(let index) = place.value, let (name, value) = try nested(in: index)
      else { break }
      place.passed.append(heap.dictionaries[index])
      place.names.append(name)
      place.value = value
    }
    return place
  }

  /// The state dict named `entry`: an entry of the checkpoint, with nested names joined by "/". If
  /// there is no such entry, the only state dict whose name contains `entry`, so that `ema` finds
  /// `state_dict_ema`.
  ///
  /// - Throws: `WeightsError.unreadable` if there is none, or more than one.
  func place(named entry: String) throws(WeightsError) -> Place {
    if let place = place(entry.split(separator: "/").map(String.init)) {
      return try usualPlace(below: place)
    }
    let names = states.map(\.name)
    let alike = names.filter { $0.lowercased().contains(entry.lowercased()) }
    if alike.count == 1, let place = place(alike[0].split(separator: "/").map(String.init)) {
      return place
    }
    throw .unreadable(
      file: file, reason: "the checkpoint has no entry \(entry)\(Self.list(names))")
  }

  private static func list(_ names: [String]) -> String {
    let named = names.filter { !$0.isEmpty }
    guard !named.isEmpty else { return "" }
    let rest = named.count > 8 ? " and \(named.count - 8) more" : ""
    return "; its states are \(named.prefix(8).joined(separator: ", "))\(rest)"
  }

  private func place(_ names: [String]) -> Place? {
    var place = Place(value: pickled.root)
    for name in names {
      guard case .dictionary(let index) = place.value, let next = heap.dictionaries[index][name]
      else { return nil }
      place.passed.append(heap.dictionaries[index])
      place.names.append(name)
      place.value = next
    }
    return place
  }

  /// The entry of a checkpoint that leads to a state dict; nil if the dictionary itself is one.
  private func nested(
    in index: Int
  ) throws(WeightsError) -> (name: String, value: PickleValue)? {
    let dictionary = heap.dictionaries[index]
    for name in Self.usualNames {
      if let value = dictionary[name], leadsToTensors(value, depth: Self.maximumDepth) {
        return (name, value)
      }
    }
    if holders.contains(index) { return nil }
    try refuseObjects(in: dictionary)
    var others: [(name: String, value: PickleValue)] = []
    for case (.string(let name), let value) in dictionary.items
    where leadsToTensors(value, depth: 1) {
      others.append((name, value))
    }
    guard others.count <= 1 else {
      let names = others.prefix(8).map(\.name).joined(separator: ", ")
      throw .unreadable(
        file: file,
        reason: "it holds several state dicts (\(names)); name the one you need with --state, or"
          + " save it on its own")
    }
    return others.first
  }

  /// Throws if the network in this dictionary is an object of an unknown class. Tensors elsewhere
  /// in the dictionary are then not the network's.
  private func refuseObjects(in dictionary: PickleDictionary) throws(WeightsError) {
    var visited = Visited()
    for key in Self.usualNames {
      guard let value = dictionary[key], let name = heap.foreignName(value), !Self.isPlain(name)
      else { continue }
      if reachesTensors(value, &visited) { throw .refused(file: file, found: name) }
    }
  }

  /// Whether `value` is a state dict, or a checkpoint that has one under a usual name.
  private func leadsToTensors(_ value: PickleValue, depth: Int) -> Bool {
    guard depth > 0, case .dictionary(let index) = value else { return false }
    if holders.contains(index) { return true }
    let dictionary = heap.dictionaries[index]
    return Self.usualNames.contains { name in
      dictionary[name].map { leadsToTensors($0, depth: depth - 1) } ?? false
    }
  }
}

/// Conversion of a checkpoint's plain values to metadata.
extension CheckpointContents {
  /// Adds the plain values of a dictionary to `metadata`. Options in it (a dictionary or an object,
  /// such as `args`) contribute only the network's name: `args.model`, or `config.model.name`.
  func collect(_ dictionary: PickleDictionary, _ metadata: inout [String: String]) {
    for (key, value) in dictionary.items {
      guard let key = key.text else { continue }
      if let text = value.text {
        metadata[key] = text
      } else if let options = heap.entries(value) {
        for name in StateDict.networkKeys {
          guard let value = options[name] else { continue }
          if case .string(let text) = value {
            metadata["\(key).\(name)"] = text
          } else if case .string(let text)? = heap.entries(value)?["name"] {
            metadata["\(key).\(name).name"] = text
          }
        }
      }
    }
  }
}
