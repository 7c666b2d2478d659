/// An optimiser's state for one parameter: the number of steps, and up to two tensors of its shape.
struct OptimizerSlot: Sendable {
  var steps = 0
  var first: Tensor?
  var second: Tensor?

  fileprivate subscript(place: Int) -> Tensor? {
    get { place == 0 ? first : second }
    set { if place == 0 { first = newValue } else { second = newValue } }
  }
}

/// An optimiser's state: a slot for each parameter that it has changed, and the names for saving
/// the slots in a file.
struct OptimizerSlots: Sendable {
  /// The start of every name, such as "adam".
  let name: String
  /// The names of a slot's tensors, such as "m" and "v".
  let kinds: [String]
  private var slots: [String: OptimizerSlot] = [:]

  private static let counter = "steps"

  init(name: String, kinds: [String]) {
    precondition(kinds.count <= 2)
    self.name = name
    self.kinds = kinds
  }

  /// Removes and returns the parameter's slot, so that its tensors can be changed in place; `put`
  /// stores it again. A parameter without a slot gets one of zeros.
  mutating func take(for parameter: Parameter) -> OptimizerSlot {
    if let slot = slots.removeValue(forKey: parameter.key) {
      for (place, kind) in kinds.enumerated() {
        let shape = slot[place]?.shape
        precondition(
          shape == parameter.shape,
          "\(name).\(kind).\(parameter.key): shape \(shape ?? []) is not \(parameter.shape)")
      }
      return slot
    }
    var slot = OptimizerSlot()
    for place in kinds.indices { slot[place] = Tensor(zeros: parameter.shape) }
    return slot
  }

  mutating func put(_ slot: OptimizerSlot, for parameter: Parameter) {
    slots[parameter.key] = slot
  }

  /// All slots as named tensors.
  var state: [String: Tensor] {
    get {
      var state: [String: Tensor] = [:]
      for (key, slot) in slots {
        state["\(name).\(Self.counter).\(key)"] = Tensor(exactly: slot.steps)
        for (place, kind) in kinds.enumerated() { state["\(name).\(kind).\(key)"] = slot[place] }
      }
      return state
    }
    set {
      slots = [:]
      for (entry, tensor) in newValue {
        let parts = entry.split(separator: ".", maxSplits: 2).map(String.init)
        precondition(parts.count == 3 && parts[0] == name, "\(entry) is not an entry of \(name)")
        var slot = slots.removeValue(forKey: parts[2]) ?? OptimizerSlot()
        if parts[1] == Self.counter {
          slot.steps = tensor.exactCount ?? 0
        } else if let place = kinds.firstIndex(of: parts[1]) {
          slot[place] = tensor
        }
        slots[parts[2]] = slot
      }
    }
  }

  mutating func restore(
    _ state: [String: Tensor], for parameters: [Parameter], file: String
  ) throws(OptimizerStateError) {
    var left = Set(state.keys)
    for parameter in parameters {
      let names = ([Self.counter] + kinds).map { "\(name).\($0).\(parameter.key)" }
      // A parameter that never had a gradient has no entries.
      guard names.contains(where: { state[$0] != nil }) else { continue }
      for name in names {
        guard let tensor = state[name] else { throw .missing(file: file, name: name) }
        left.remove(name)
        if name == names[0] {
          guard tensor.exactCount != nil else {
            throw .invalid(file: file, name: name, reason: "is not a number of steps")
          }
        } else if tensor.shape != parameter.shape {
          throw .invalid(
            file: file, name: name, reason: "has shape \(tensor.shape), not \(parameter.shape)")
        }
      }
    }
    if let name = left.min() { throw .unexpected(file: file, name: name) }
    self.state = state
  }
}

extension Tensor {
  private static let countDigit = 1 << 20

  /// A count as two numbers that Float32 represents exactly.
  init(exactly count: Int) {
    let (high, low) = count.quotientAndRemainder(dividingBy: Self.countDigit)
    self.init([Float(high), Float(low)], shape: [2])
  }

  /// The count that `init(exactly:)` stored, or nil if the tensor does not hold such a count.
  var exactCount: Int? {
    guard shape == [2] else { return nil }
    let digits = scalars.compactMap { Int(exactly: $0) }
    guard digits.count == 2, digits.allSatisfy({ (0..<Self.countDigit).contains($0) }) else {
      return nil
    }
    return digits[0] * Self.countDigit + digits[1]
  }
}
