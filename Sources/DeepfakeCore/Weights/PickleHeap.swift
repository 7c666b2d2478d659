import OrderedCollections

/// A dictionary in insertion order. As in Python, a text key is unique and the last value for it
/// counts. Other keys, which no state dict has, are only stored.
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

/// The objects that the values of one pickle refer to by index.
struct PickleHeap {
  /// A storage: a range of elements in the file, with the key that the container uses for it.
  struct Storage {
    var key: String
    /// The element type; nil for bytes without a type.
    var type: ElementType?
    /// The number of elements of the whole storage.
    var count: Int
    /// The part of the storage to use; old files have views of storages.
    var view: Range<Int>
  }

  /// A tensor that refers to a storage, not checked yet.
  struct Tensor {
    var storage: Int
    var type: ElementType
    var offset: Int
    var shape: [Int]
    var strides: [Int]
  }

  /// The record of a call of an unknown class or function. Nothing is run. The record is kept to
  /// find the tensors that were passed to the call.
  struct Object {
    /// The qualified name of the class or function.
    var name: String
    /// The arguments as one tuple, followed by items that were added later.
    var parts: [PickleValue]
    /// The entries that were set later, as an index into `dictionaries`, if the object is a
    /// dictionary.
    var entries: Int?
    /// The state that pickle would give to the object after creating it, often a dictionary of
    /// attributes.
    var state: PickleValue?
  }

  var sequences: [[PickleValue]] = []
  var dictionaries: [PickleDictionary] = []
  var storages: [Storage] = []
  var tensors: [Tensor] = []
  var objects: [Object] = []
  /// The keys of storages with elements of an unknown type, with the type's name.
  var foreignStorages: [String: String] = [:]
  /// The names of unknown classes and functions in the pickle, at most `maximumNames`.
  private(set) var foreignNames: OrderedSet<String> = []

  /// The limit of the list, which is for people to read.
  private static let maximumNames = 100

  /// Records the name of an unknown class or function.
  mutating func noteForeign(_ name: String) {
    if foreignNames.count < Self.maximumNames { foreignNames.append(name) }
  }

  /// The name of an unknown class or function, or of the one whose call created an object; nil for
  /// all other values.
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

  /// The integers of a tuple or list; nil if it has more than `limit` items or other values.
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
