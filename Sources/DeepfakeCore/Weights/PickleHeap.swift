import OrderedCollections

/// A dictionary in insertion order. Text keys are unique, the last value given counts, as in
/// Python; other keys, which no state dict has, are only kept.
struct PickleDictionary {
  private(set) var items: [(key: PickleValue, value: PickleValue)] = []
  private var places: [String: Int] = [:]

  mutating func set(_ key: PickleValue, _ value: PickleValue) {
    if case .string(let text) = key {
      if let place = places[text] {
        items[place].value = value
        return
      }
      places[text] = items.count
    }
    items.append((key, value))
  }

  subscript(text: String) -> PickleValue? { places[text].map { items[$0].value } }
}

/// What the values of one pickle refer to.
struct PickleHeap {
  /// A run of elements in the file, by the key that the container knows it under.
  struct Storage {
    var key: String
    /// nil: bytes without a type.
    var type: ElementType?
    /// Elements of the whole storage.
    var count: Int
    /// The part of it that is meant (old files have views of storages).
    var view: Range<Int>
  }

  /// A tensor over a storage, unchecked.
  struct Tensor {
    var storage: Int
    var type: ElementType
    var offset: Int
    var shape: [Int]
    var strides: [Int]
  }

  /// What is left of a call of a class or function that is unknown here. It means nothing, runs
  /// nothing, and is kept so that tensors that went into it are known of.
  struct Object {
    /// The qualified name of the class or function.
    var name: String
    /// The arguments, as one tuple, and the items that were added since.
    var parts: [PickleValue]
    /// The entries that were set since, an index into `dictionaries`: an object that is a
    /// dictionary.
    var entries: Int?
    /// What pickle would have handed to the object after making it, often a dictionary of
    /// attributes.
    var state: PickleValue?
  }

  var sequences: [[PickleValue]] = []
  var dictionaries: [PickleDictionary] = []
  var storages: [Storage] = []
  var tensors: [Tensor] = []
  var objects: [Object] = []
  /// Keys of storages whose elements are of a type unknown here, with the type's name.
  var foreignStorages: [String: String] = [:]
  /// The unknown classes and functions that were named, the first `maximumNames` of them.
  private(set) var foreignNames: OrderedSet<String> = []

  /// More names than anybody reads.
  private static let maximumNames = 100

  /// Notes that an unknown class or function was named.
  mutating func noteForeign(_ name: String) {
    if foreignNames.count < Self.maximumNames { foreignNames.append(name) }
  }

  /// The name of an unknown class or function, or of the one that an object came from; nil for
  /// every other value.
  func foreignName(_ value: PickleValue) -> String? {
    switch value {
    case .function(.foreign(let name)): name
    case .object(let index): objects[index].name
    default: nil
    }
  }

  /// The attributes of an object, or the entries of a dictionary.
  func entries(_ value: PickleValue) -> PickleDictionary? {
    switch value {
    case .dictionary(let index): dictionaries[index]
    case .object(let index):
      if let entries = objects[index].entries {
        dictionaries[entries]
      } else if case .dictionary(let state)? = objects[index].state {
        dictionaries[state]
      } else {
        nil
      }
    default: nil
    }
  }

  /// The items of a tuple or list.
  func items(_ value: PickleValue) -> [PickleValue]? {
    switch value {
    case .tuple(let index), .list(let index): sequences[index]
    default: nil
    }
  }

  /// A tuple or list of no more than `limit` whole numbers.
  func integers(_ value: PickleValue, atMost limit: Int) -> [Int]? {
    guard let items = items(value), items.count <= limit else { return nil }
    var result: [Int] = []
    for item in items {
      guard case .integer(let integer) = item else { return nil }
      result.append(integer)
    }
    return result
  }
}
