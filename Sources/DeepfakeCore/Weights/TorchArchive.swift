/// A reader of the zip archive that `torch.save` writes since PyTorch 1.6: `NAME/data.pkl`, and
/// each storage as `NAME/data/KEY` without compression. TorchScript archives have the same form and
/// also hold the code of the modules, which is not read.
struct TorchArchive {
  private let file: MappedFile
  private let directory: ZipDirectory

  init(_ file: MappedFile) throws(WeightsError) {
    self.file = file
    directory = try ZipDirectory(file)
  }

  /// The bytes of an entry. Throws if it is compressed, because PyTorch never compresses entries.
  private func bytes(of entry: ZipDirectory.Entry) throws(WeightsError) -> StoredBytes {
    guard entry.method == 0 else {
      throw .unreadable(
        file: file.name,
        reason: "\(entry.name) in the archive is compressed, which PyTorch never does; unpack the"
          + " archive and pack it again without compression, or save the checkpoint again")
    }
    return try directory.bytes(of: entry)
  }

  func read(entry: String?) throws(WeightsError) -> StateDict {
    let pickles = directory.entries.filter {
      $0.name == "data.pkl"
        || $0.name.hasSuffix("/data.pkl") && $0.name.split(separator: "/").count == 2
    }
    guard let pickle = pickles.first else {
      throw .unreadable(
        file: file.name, reason: "it is a zip archive without data.pkl, not a PyTorch checkpoint")
    }
    guard pickles.count == 1 else {
      throw .unreadable(file: file.name, reason: "the archive holds data.pkl twice")
    }
    let folder = String(pickle.name.dropLast("data.pkl".count))
    var records: [String: ZipDirectory.Entry] = [:]
    for entry in directory.entries where entry.name.hasPrefix(folder) {
      guard records.updateValue(entry, forKey: String(entry.name.dropFirst(folder.count))) == nil
      else { throw .unreadable(file: file.name, reason: "the archive holds \(entry.name) twice") }
    }
    if let order = records["byteorder"] {
      let bytes = try bytes(of: order)
      let text = String(
        decoding: UnsafeRawBufferPointer(start: bytes.start, count: min(16, bytes.count)),
        as: UTF8.self)
      guard text == "little" else {
        throw .unreadable(
          file: file.name,
          reason: "its numbers are \(text)-endian; only little-endian files can be read")
      }
    }
    let bytes = try bytes(of: pickle)
    let pickled = try Unpickler.load(
      UnsafeRawBufferPointer(start: bytes.start, count: bytes.count), file: file.name)
    var resolver = StorageResolver(file: file.name)
    try resolver.resolve(pickled.heap) { (storage, size) throws(WeightsError) in
      guard let record = records["data/" + storage.key] else {
        throw .unreadable(
          file: file.name, reason: "storage \(storage.key) is missing from the archive")
      }
      guard record.count == size else {
        throw .unreadable(
          file: file.name,
          reason: "storage \(storage.key) has \(record.count) bytes, but should have \(size)")
      }
      return try self.bytes(of: record)
    }
    let contents = CheckpointContents(
      file: file.name, pickled: pickled, storages: resolver.storages)
    let isScript =
      records["constants.pkl"] != nil || records.keys.contains { $0.hasPrefix("code/") }
    guard isScript, case .object = pickled.root else {
      return try contents.stateDict(entry: entry)
    }
    if let entry {
      throw .unreadable(
        file: file.name,
        reason: "it is a TorchScript archive, which has one state, so there is no \(entry)")
    }
    return try contents.moduleTensors()
  }
}

/// Finds the bytes of all storages that a pickle refers to.
struct StorageResolver {
  let file: String
  /// The bytes, in the order of `PickleHeap.storages`.
  private(set) var storages: [StoredBytes] = []

  init(file: String) {
    self.file = file
  }

  /// Calls `find` once for each storage, with the expected number of bytes.
  mutating func resolve(
    _ heap: PickleHeap,
    find: (PickleHeap.Storage, Int) throws(WeightsError) -> StoredBytes
  ) throws(WeightsError) {
    storages.reserveCapacity(heap.storages.count)
    for storage in heap.storages {
      let element = storage.type?.size ?? 1
      let (size, overflow) = storage.count.multipliedReportingOverflow(by: element)
      guard !overflow else {
        throw .unreadable(
          file: file,
          reason: "storage \(storage.key) states an impossible size: \(storage.count) elements")
      }
      let whole = try find(storage, size)
      storages.append(
        StoredBytes(
          start: whole.start + storage.view.lowerBound * element,
          count: storage.view.count * element, owner: whole.owner))
    }
  }
}
