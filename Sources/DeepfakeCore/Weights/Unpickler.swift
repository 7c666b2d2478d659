/// Reads one pickle (protocols 2 to 5) without running any code of it.
///
/// A pickle is a program for a stack machine whose instructions may call any Python function. This
/// machine supports the instructions that create plain values. A call is looked up in the short
/// list of `PickleFunction`; for all other calls only the name and the arguments are kept. The
/// number of instructions and two budgets limit work and memory.
struct Unpickler {
  /// The value, and the offset at which its pickle ends.
  struct Result {
    var root: PickleValue
    var heap: PickleHeap
    var end: Int
  }

  /// The limit of instructions, more than any checkpoint of a network needs. Longer pickles are
  /// refused.
  static let maximumInstructions = 1 << 22
  /// The limit of tensors, more than any network has.
  static let maximumTensors = 1 << 17

  let file: String
  var cursor: ByteCursor
  var stack: [PickleValue] = []
  var marks: [Int] = []
  var memo: [Int: PickleValue] = [:]
  var heap = PickleHeap()
  /// The number of bytes of text and data that may still be created. Each byte of the file creates
  /// at most one byte when read and one when converted, so valid files stay within this budget.
  var byteBudget: Int
  /// The number of items that may still be copied from one container to another.
  var itemBudget = maximumInstructions

  private init(_ bytes: UnsafeRawBufferPointer, at offset: Int, file: String) {
    self.file = file
    cursor = ByteCursor(bytes, at: offset)
    byteBudget = 2 * cursor.remaining + 4096
  }

  /// Reads the pickle that starts at `offset`.
  ///
  /// - Throws: `WeightsError` if the pickle is truncated or damaged, or exceeds a limit.
  static func load(
    _ bytes: UnsafeRawBufferPointer, at offset: Int = 0, file: String
  ) throws(WeightsError) -> Result {
    var machine = Unpickler(bytes, at: offset, file: file)
    for _ in 0..<maximumInstructions {
      guard let code: UInt8 = machine.cursor.integer() else { throw machine.cutShort }
      guard code != UInt8(ascii: ".") else {
        let root = try machine.pop()
        return Result(root: root, heap: machine.heap, end: machine.cursor.position)
      }
      try machine.execute(code)
    }
    throw .refused(file: file, found: "a pickle of more than \(maximumInstructions) instructions")
  }

  private mutating func execute(_ code: UInt8) throws(WeightsError) {
    switch code {
    case 0x80:  // PROTO
      guard let version: UInt8 = cursor.integer() else { throw cutShort }
      guard (2...5).contains(version) else {
        throw .unreadable(file: file, reason: "pickle protocol \(version) is unknown")
      }
    case 0x95:  // FRAME
      guard let length: UInt64 = cursor.integer(), length <= UInt64(cursor.remaining) else {
        throw cutShort
      }
    case UInt8(ascii: "c"): stack.append(try namedFunction())
    case 0x93:  // STACK_GLOBAL
      guard case .string(let name) = try pop(), case .string(let module) = try pop() else {
        throw malformed("a name that is not text")
      }
      stack.append(function(module, name))
    case UInt8(ascii: "R"):  // REDUCE
      let arguments = try popTuple()
      stack.append(try call(try pop(), arguments))
    case 0x81, 0x92, UInt8(ascii: "i"), UInt8(ascii: "o"): try makeObject(code)
    case UInt8(ascii: "b"):  // BUILD
      let state = try pop()
      stack.append(try build(try pop(), state))
    case UInt8(ascii: "Q"): stack.append(try persistent(try pop()))
    case UInt8(ascii: "P"), 0x82, 0x83, 0x84, 0x97, 0x98:
      throw .refused(file: file, found: "the pickle instruction 0x\(String(code, radix: 16))")
    case UInt8(ascii: "q"), UInt8(ascii: "r"), 0x94, UInt8(ascii: "h"), UInt8(ascii: "j"),
      UInt8(ascii: "("), UInt8(ascii: "0"), UInt8(ascii: "1"), UInt8(ascii: "2"):
      try executeStack(code)
    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88: stack.append(.bool(true))
    case 0x89: stack.append(.bool(false))
    case UInt8(ascii: "J"), UInt8(ascii: "K"), UInt8(ascii: "M"), UInt8(ascii: "G"), 0x8A, 0x8B:
      stack.append(try number(code))
    case UInt8(ascii: "X"), 0x8C, 0x8D, UInt8(ascii: "T"), UInt8(ascii: "U"), UInt8(ascii: "B"),
      UInt8(ascii: "C"), 0x8E, 0x96:
      stack.append(try text(code))
    default: try executeContainer(code)
    }
  }

  /// Executes the instructions for the memo, the marks and the top of the stack.
  private mutating func executeStack(_ code: UInt8) throws(WeightsError) {
    switch code {
    case UInt8(ascii: "q"): memo[try index(UInt8.self)] = try top()
    case UInt8(ascii: "r"): memo[try index(UInt32.self)] = try top()
    case 0x94: memo[memo.count] = try top()
    case UInt8(ascii: "h"): stack.append(try recall(try index(UInt8.self)))
    case UInt8(ascii: "j"): stack.append(try recall(try index(UInt32.self)))
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "0"): _ = try pop()
    case UInt8(ascii: "1"): _ = try popToMark()
    default: stack.append(try top())
    }
  }

  private mutating func executeContainer(_ code: UInt8) throws(WeightsError) {
    switch code {
    case UInt8(ascii: ")"): stack.append(tuple([]))
    case 0x85: stack.append(tuple(try pop(1)))
    case 0x86: stack.append(tuple(try pop(2)))
    case 0x87: stack.append(tuple(try pop(3)))
    case UInt8(ascii: "t"), 0x91: stack.append(tuple(try popToMark()))
    case UInt8(ascii: "]"), 0x8F: stack.append(list([]))
    case UInt8(ascii: "l"): stack.append(list(try popToMark()))
    case UInt8(ascii: "a"): try extend(by: try pop(1))
    case UInt8(ascii: "e"), 0x90: try extend(by: try popToMark())
    case UInt8(ascii: "}"): stack.append(dictionary())
    case UInt8(ascii: "d"):
      let items = try popToMark()
      stack.append(dictionary())
      try setItems(items)
    case UInt8(ascii: "s"): try setItems(try pop(2))
    case UInt8(ascii: "u"): try setItems(try popToMark())
    default:
      throw .unreadable(
        file: file,
        reason: "unknown pickle instruction 0x\(String(code, radix: 16)) at byte"
          + " \(cursor.position - 1); the file is damaged or older than pickle protocol 2")
    }
  }

  /// Executes NEWOBJ, NEWOBJ_EX, INST and OBJ, which create an object by calling a class.
  private mutating func makeObject(_ code: UInt8) throws(WeightsError) {
    let function: PickleValue
    let arguments: PickleValue
    switch code {
    case UInt8(ascii: "i"):
      function = try namedFunction()
      arguments = tuple(try popToMark())
    case UInt8(ascii: "o"):
      let items = try popToMark()
      guard let first = items.first else { throw malformed("an object without a class") }
      function = first
      arguments = tuple(Array(items.dropFirst()))
    case 0x92:
      let named = try pop()
      arguments = tuple([try popTuple(), named])
      function = try pop()
    default:
      arguments = try popTuple()
      function = try pop()
    }
    guard heap.foreignName(function) != nil || isOrderedDictionary(function) else {
      throw .refused(file: file, found: "an object made of \(function.noun)")
    }
    stack.append(try call(function, arguments))
  }

  private func isOrderedDictionary(_ value: PickleValue) -> Bool {
    if case .function(.orderedDictionary) = value { true } else { false }
  }

  /// The class or function whose module and name are the next two lines of the file.
  private mutating func namedFunction() throws(WeightsError) -> PickleValue {
    guard let first = cursor.line(), let last = cursor.line() else { throw cutShort }
    return function(
      String(decoding: first.prefix(200), as: UTF8.self),
      String(decoding: last.prefix(200), as: UTF8.self))
  }

  private mutating func function(_ module: String, _ name: String) -> PickleValue {
    let function = PickleFunction.named("\(module).\(name)")
    if case .foreign(let name) = function { heap.noteForeign(name) }
    return .function(function)
  }
}

// MARK: - Stack, heap and literals

extension Unpickler {
  var cutShort: WeightsError {
    .unreadable(file: file, reason: "its pickle ends too early; the file is truncated")
  }

  func malformed(_ reason: String) -> WeightsError {
    .unreadable(file: file, reason: "damaged pickle: \(reason) before byte \(cursor.position)")
  }

  private func top() throws(WeightsError) -> PickleValue {
    guard stack.count > (marks.last ?? 0), let value = stack.last else {
      throw malformed("an empty stack")
    }
    return value
  }

  mutating func pop() throws(WeightsError) -> PickleValue {
    let value = try top()
    stack.removeLast()
    return value
  }

  private mutating func pop(_ count: Int) throws(WeightsError) -> [PickleValue] {
    guard stack.count - (marks.last ?? 0) >= count else { throw malformed("an empty stack") }
    let values = Array(stack.suffix(count))
    stack.removeLast(count)
    return values
  }

  private mutating func popToMark() throws(WeightsError) -> [PickleValue] {
    guard let mark = marks.popLast(), mark <= stack.count else { throw malformed("a missing mark") }
    let values = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return values
  }

  private mutating func popTuple() throws(WeightsError) -> PickleValue {
    let value = try pop()
    guard case .tuple = value else { throw malformed("a call without arguments") }
    return value
  }

  private mutating func index<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type
  ) throws(WeightsError) -> Int {
    guard let value: T = cursor.integer(), let index = Int(exactly: value) else { throw cutShort }
    return index
  }

  private func recall(_ index: Int) throws(WeightsError) -> PickleValue {
    guard let value = memo[index] else { throw malformed("a reference to a missing value") }
    return value
  }

  mutating func tuple(_ items: [PickleValue]) -> PickleValue {
    heap.sequences.append(items)
    return .tuple(heap.sequences.count - 1)
  }

  private mutating func list(_ items: [PickleValue]) -> PickleValue {
    heap.sequences.append(items)
    return .list(heap.sequences.count - 1)
  }

  mutating func dictionary() -> PickleValue {
    heap.dictionaries.append(PickleDictionary())
    return .dictionary(heap.dictionaries.count - 1)
  }

  private mutating func extend(by items: [PickleValue]) throws(WeightsError) {
    switch try top() {
    case .list(let index): heap.sequences[index].append(contentsOf: items)
    case .object(let index): heap.objects[index].parts.append(contentsOf: items)
    default: throw malformed("items for a value that is not a list")
    }
  }

  private mutating func setItems(_ items: [PickleValue]) throws(WeightsError) {
    var target = try top()
    if case .object(let index) = target {
      target = heap.objects[index].entries.map { .dictionary($0) } ?? dictionary()
      if case .dictionary(let entries) = target { heap.objects[index].entries = entries }
    }
    guard case .dictionary(let index) = target, items.count % 2 == 0 else {
      throw malformed("entries for a value that is not a dictionary")
    }
    for i in stride(from: 0, to: items.count, by: 2) {
      heap.dictionaries[index].set(items[i], items[i + 1])
    }
  }

  private mutating func number(_ code: UInt8) throws(WeightsError) -> PickleValue {
    switch code {
    case UInt8(ascii: "K"): return .integer(try index(UInt8.self))
    case UInt8(ascii: "M"): return .integer(try index(UInt16.self))
    case UInt8(ascii: "J"): return .integer(try index(Int32.self))
    case UInt8(ascii: "G"):
      guard let bits: UInt64 = cursor.integer() else { throw cutShort }
      return .real(Double(bitPattern: bits.byteSwapped))
    default:
      let length = code == 0x8A ? try index(UInt8.self) : try index(UInt32.self)
      guard let bytes = cursor.take(length) else { throw cutShort }
      // A little-endian two's complement number of any length; Python writes no unnecessary bytes.
      guard length <= 8 else { return .bytes(try charged(bytes)) }
      let sign: UInt64 = (bytes.last ?? 0) & 0x80 == 0 ? 0 : .max
      let bits = bytes.reversed().reduce(sign) { $0 << 8 | UInt64($1) }
      return .integer(Int(Int64(bitPattern: bits)))
    }
  }

  private mutating func text(_ code: UInt8) throws(WeightsError) -> PickleValue {
    let length: Int
    switch code {
    case 0x8C, UInt8(ascii: "U"), UInt8(ascii: "C"): length = try index(UInt8.self)
    case 0x8D, 0x8E, 0x96: length = try index(UInt64.self)
    default: length = try index(UInt32.self)
    }
    guard let taken = cursor.take(length) else { throw cutShort }
    let bytes = try charged(taken)
    switch code {
    case UInt8(ascii: "B"), UInt8(ascii: "C"), 0x8E, 0x96: return .bytes(bytes)
    default:
      if let text = String(validating: bytes, as: UTF8.self) { return .string(text) }
      // Python 2 text consists of bytes without a declared encoding.
      guard code == UInt8(ascii: "T") || code == UInt8(ascii: "U") else {
        throw malformed("text that is not UTF-8")
      }
      return .string(String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) })))
    }
  }

  private mutating func charged(_ bytes: UnsafeRawBufferPointer) throws(WeightsError) -> [UInt8] {
    try charge(bytes.count)
    return Array(bytes)
  }

  /// Subtracts the bytes that an instruction creates from the budget. Throws if the budget is
  /// exceeded.
  mutating func charge(_ count: Int) throws(WeightsError) {
    guard count <= byteBudget else {
      throw .refused(file: file, found: "text that expands to many times the file's size")
    }
    byteBudget -= count
  }
}
