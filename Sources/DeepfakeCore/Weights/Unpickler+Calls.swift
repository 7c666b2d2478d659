/// The results of the calls that a checkpoint may contain.
extension Unpickler {
  /// The result of calling `function` with a tuple of arguments.
  ///
  /// The call of an unknown function, or a call with an argument that came from one, gives an inert
  /// object with the unknown name. If a tensor is needed there, the error uses this name.
  mutating func call(
    _ function: PickleValue, _ tuple: PickleValue
  ) throws(WeightsError) -> PickleValue {
    let arguments = heap.items(tuple) ?? []
    if var name = heap.foreignName(function) {
      // An older way of Python to create an object: the class is the first argument.
      if name.hasSuffix("reg._reconstructor"), let made = arguments.first,
        let known = heap.foreignName(made)
      {
        name = known
      }
      return object(name, tuple)
    }
    guard case .function(let function) = function else {
      throw .refused(file: file, found: "a call of \(function.noun)")
    }
    for argument in arguments.prefix(Self.mostArguments) {
      if let name = heap.foreignName(argument) { return object(name, tuple) }
    }
    switch function {
    case .orderedDictionary: return try orderedDictionary(arguments)
    case .size:
      guard arguments.count == 1, case .tuple = arguments[0] else {
        throw malformed("a torch.Size that is not made from a tuple")
      }
      return arguments[0]
    case .device: return .inert("a device")
    case .rebuildTensor: return try tensor(arguments, allowed: 4...4, type: nil)
    case .rebuildTensorV2: return try tensor(arguments, allowed: 6...7, type: nil)
    case .rebuildTensorV3:
      guard arguments.count >= 7, case .function(.elementType(let type)) = arguments[6] else {
        throw malformed("a tensor without a type")
      }
      guard let type else {
        throw .refused(file: file, found: "a tensor of complex numbers")
      }
      return try tensor(arguments, allowed: 7...8, type: type)
    case .rebuildParameter:
      guard let first = arguments.first, case .tensor = first, (3...4).contains(arguments.count)
      else { throw malformed("a parameter without a tensor") }
      return first
    case .numpyType:
      guard let first = arguments.first, case .string(let name) = first else {
        throw malformed("a numpy type without a name")
      }
      return NumpyType(name).map { .numpyType($0) } ?? .inert("a numpy type")
    case .numpyScalar: return try numpyScalar(arguments)
    case .encode: return try encode(arguments)
    case .storage, .elementType, .foreign:
      throw .refused(file: file, found: "a call of \(PickleValue.function(function).noun)")
    }
  }

  /// The most arguments that any known function takes.
  private static let mostArguments = 8

  private mutating func object(_ name: String, _ arguments: PickleValue) -> PickleValue {
    heap.objects.append(PickleHeap.Object(name: name, parts: [arguments]))
    return .object(heap.objects.count - 1)
  }

  /// Applies the state that pickle gives to an object after creating it.
  mutating func build(
    _ object: PickleValue, _ state: PickleValue
  ) throws(WeightsError) -> PickleValue {
    switch object {
    case .dictionary:
      // The state holds the attributes of a state dict (`_metadata`: layer versions), not its
      // items.
      return object
    case .numpyType(var type):
      if let items = heap.items(state), items.count > 1, case .string(let order) = items[1] {
        type.isBigEndian = order == ">"
      }
      return .numpyType(type)
    case .object(let index):
      if let other = heap.objects[index].state { heap.objects[index].parts.append(other) }
      heap.objects[index].state = state
      return object
    case .inert: return object
    default: throw .refused(file: file, found: "a state for \(object.noun)")
    }
  }

  private mutating func orderedDictionary(
    _ arguments: [PickleValue]
  ) throws(WeightsError) -> PickleValue {
    let result = dictionary()
    guard case .dictionary(let index) = result, let first = arguments.first else { return result }
    guard arguments.count == 1, let pairs = heap.items(first) else {
      throw malformed("an OrderedDict that is not made from a list")
    }
    guard pairs.count <= itemBudget else {
      throw .refused(file: file, found: "too many copies of one list")
    }
    itemBudget -= pairs.count
    for pair in pairs {
      guard let pair = heap.items(pair), pair.count == 2 else {
        throw malformed("an OrderedDict that is not made from pairs")
      }
      heap.dictionaries[index].set(pair[0], pair[1])
    }
    return result
  }

  /// A tensor that refers to a storage. Its extents are checked when the bytes of the storage are
  /// known.
  private mutating func tensor(
    _ arguments: [PickleValue], allowed: ClosedRange<Int>, type: ElementType?
  ) throws(WeightsError) -> PickleValue {
    guard allowed.contains(arguments.count), case .storage(let storage) = arguments[0],
      case .integer(let offset) = arguments[1],
      let shape = heap.integers(arguments[2], atMost: StridedView.maximumRank),
      let strides = heap.integers(arguments[3], atMost: StridedView.maximumRank),
      shape.count == strides.count
    else { throw malformed("a tensor without storage, shape or strides") }
    guard heap.tensors.count < Self.maximumTensors else {
      throw .refused(file: file, found: "more than \(Self.maximumTensors) tensors")
    }
    guard let type = type ?? heap.storages[storage].type else {
      throw malformed("a tensor without a type")
    }
    heap.tensors.append(
      PickleHeap.Tensor(
        storage: storage, type: type, offset: offset, shape: shape, strides: strides))
    return .tensor(heap.tensors.count - 1)
  }

  /// A storage. PyTorch refers to it by ("storage", class, key, device, count), followed in old
  /// files by a view (key, offset, count) or None.
  mutating func persistent(_ id: PickleValue) throws(WeightsError) -> PickleValue {
    guard case .tuple(let index) = id else { throw malformed("a reference of unknown form") }
    let items = heap.sequences[index]
    guard items.count == 5 || items.count == 6, case .string("storage") = items[0],
      case .function(let kind) = items[1], case .integer(let count) = items[4], count >= 0
    else { throw malformed("a storage reference of unknown form") }
    let key: String
    switch items[2] {
    case .string(let text): key = text
    case .integer(let number): key = "\(number)"
    default: throw malformed("a storage without a key")
    }
    if case .foreign(let name) = kind {
      heap.foreignStorages[key] = name
      return object(name, id)
    }
    guard case .storage(let type) = kind else {
      throw malformed("a storage reference of unknown form")
    }
    var view = 0..<count
    if items.count == 6, let fields = heap.items(items[5]) {
      guard fields.count == 3, case .integer(let offset) = fields[1],
        case .integer(let length) = fields[2], offset >= 0, length >= 0, offset <= count,
        length <= count - offset
      else { throw malformed("a storage view outside its storage") }
      view = offset..<offset + length
    }
    heap.storages.append(PickleHeap.Storage(key: key, type: type, count: count, view: view))
    return .storage(heap.storages.count - 1)
  }

  private mutating func numpyScalar(
    _ arguments: [PickleValue]
  ) throws(WeightsError) -> PickleValue {
    guard arguments.count == 2 else { throw malformed("a numpy number without a value") }
    guard case .numpyType(let type) = arguments[0], case .bytes(let bytes) = arguments[1] else {
      return .inert("a numpy value")
    }
    guard let value = type.scalar(bytes) else { throw malformed("a numpy number of a wrong size") }
    return value
  }

  /// `codecs.encode(text, "latin1")`, which pickle protocol 2 uses for bytes.
  private mutating func encode(_ arguments: [PickleValue]) throws(WeightsError) -> PickleValue {
    guard arguments.count == 2, case .string(let text) = arguments[0],
      case .string(let encoding) = arguments[1], ["latin1", "latin-1"].contains(encoding)
    else { throw malformed("bytes in an unknown encoding") }
    try charge(text.utf8.count)
    var bytes: [UInt8] = []
    for scalar in text.unicodeScalars {
      guard let byte = UInt8(exactly: scalar.value) else {
        throw malformed("a byte above 255")
      }
      bytes.append(byte)
    }
    return .bytes(bytes)
  }
}
