/// A reader of the format that `torch.save` wrote before PyTorch 1.6. It consists of five pickles:
/// a magic number, a protocol version, system information, the object, and the list of storage
/// keys. Then follows each storage, as a count of elements in eight bytes and the elements.
struct TorchLegacyFile {
  private let file: MappedFile

  private static let magic: [UInt8] = [
    0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19,
  ]
  private static let protocolVersion = 1001

  init(_ file: MappedFile) {
    self.file = file
  }

  func read(entry: String?) throws(WeightsError) -> StateDict {
    let magic = try Unpickler.load(file.bytes, file: file.name)
    guard case .bytes(Self.magic) = magic.root else {
      throw .unreadable(
        file: file.name, reason: "it is a plain pickle, not a checkpoint that torch.save wrote")
    }
    let version = try Unpickler.load(file.bytes, at: magic.end, file: file.name)
    guard case .integer(Self.protocolVersion) = version.root else {
      throw .unreadable(file: file.name, reason: "it has an unknown version of PyTorch's format")
    }
    let system = try Unpickler.load(file.bytes, at: version.end, file: file.name)
    if case .dictionary(let index) = system.root,
      case .bool(false)? = system.heap.dictionaries[index]["little_endian"]
    {
      throw .unreadable(
        file: file.name, reason: "its numbers are big-endian; only little-endian files can be read")
    }
    let object = try Unpickler.load(file.bytes, at: system.end, file: file.name)
    if let name = object.heap.foreignName(object.root) {
      throw .refused(file: file.name, found: name)
    }
    let keys = try Unpickler.load(file.bytes, at: object.end, file: file.name)
    let records = try records(object.heap, keys)
    var resolver = StorageResolver(file: file.name)
    try resolver.resolve(object.heap) { (storage, size) throws(WeightsError) in
      guard let bytes = records[storage.key] else {
        throw .unreadable(
          file: file.name, reason: "storage \(storage.key) is missing from the file")
      }
      guard bytes.count == size else {
        throw .unreadable(
          file: file.name,
          reason: "storage \(storage.key) has \(bytes.count) bytes, but should have \(size)")
      }
      return bytes
    }
    return try CheckpointContents(file: file.name, pickled: object, storages: resolver.storages)
      .stateDict(entry: entry)
  }

  /// The bytes of each storage; the storages are stored in the order of `keys`.
  private func records(
    _ heap: PickleHeap, _ keys: Unpickler.Result
  ) throws(WeightsError) -> [String: StoredBytes] {
    guard let keyList = keys.heap.items(keys.root) else {
      throw .unreadable(file: file.name, reason: "its list of storages is missing")
    }
    var sizes: [String: Int] = [:]
    for storage in heap.storages { sizes[storage.key] = storage.type?.size ?? 1 }
    var records: [String: StoredBytes] = [:]
    var cursor = ByteCursor(file.bytes, at: keys.end)
    for item in keyList {
      if let key = item.text, let type = heap.foreignStorages[key] {
        throw .refused(file: file.name, found: type)
      }
      guard let key = item.text, let element = sizes[key] else {
        throw .unreadable(
          file: file.name, reason: "it lists a storage of unknown type that no tensor uses")
      }
      guard let count: Int64 = cursor.integer(), count >= 0,
        count <= Int64(cursor.remaining / element),
        let bytes = file.slice(at: cursor.position, count: Int(count) * element),
        cursor.take(bytes.count) != nil
      else {
        throw .unreadable(
          file: file.name, reason: "storage \(key) ends too early; the file is truncated")
      }
      guard records.updateValue(bytes, forKey: key) == nil else {
        throw .unreadable(file: file.name, reason: "it lists storage \(key) twice")
      }
    }
    return records
  }
}
