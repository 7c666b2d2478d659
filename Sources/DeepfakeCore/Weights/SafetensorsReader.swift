import OrderedCollections

/// A reader of the safetensors format: the header's length in eight bytes, a JSON header, and the
/// bytes of the tensors.
///
/// The format demands that the tensors cover all bytes after the header without gaps or overlap, so
/// a truncated file is always noticed.
struct SafetensorsReader {
  private let file: MappedFile

  /// The maximum length of a header in bytes. A network of a thousand tensors has a header of 100
  /// KB.
  static let maximumHeader = 16 << 20

  init(_ file: MappedFile) {
    self.file = file
  }

  private struct Item {
    var key: String
    var dtype: ElementType
    var shape: [Int]
    var range: Range<Int>
  }

  func read() throws(WeightsError) -> StateDict {
    var cursor = ByteCursor(file.bytes)
    guard let length = cursor.integer(UInt64.self) else {
      throw damaged("it is shorter than a safetensors header")
    }
    guard length <= UInt64(Self.maximumHeader) else {
      throw damaged("the safetensors header claims to have \(length) bytes")
    }
    guard let header = cursor.take(Int(length)) else {
      throw damaged(
        "the safetensors header should have \(length) bytes, but the file has only"
          + " \(file.bytes.count); it is truncated")
    }
    guard case .object(let members) = JSONHeader.parse(header) else {
      throw damaged("the safetensors header is not a JSON object (or repeats a key)")
    }
    return try stateDict(members, dataStart: cursor.position)
  }

  private func stateDict(
    _ members: [(key: String, value: JSONHeader)], dataStart: Int
  ) throws(WeightsError) -> StateDict {
    var metadata: [String: String] = [:]
    var items: [Item] = []
    for (key, value) in members {
      guard case .object(let fields) = value else {
        throw damaged("\(key): the header does not describe a tensor")
      }
      if key == "__metadata__" {
        for (name, text) in fields {
          guard case .string(let text) = text else {
            throw damaged("metadata \(name) is not text")
          }
          metadata[name] = text
        }
      } else {
        items.append(try item(key, fields))
      }
    }
    items.sort {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    var end = 0
    var tensors = OrderedDictionary<String, StoredTensor>(minimumCapacity: items.count)
    for item in items {
      guard item.range.lowerBound == end else {
        throw damaged(
          "\(item.key): its bytes begin at \(item.range.lowerBound), but the tensor before it ends"
            + " at \(end)")
      }
      end = item.range.upperBound
      guard let bytes = file.slice(at: dataStart + item.range.lowerBound, count: item.range.count)
      else {
        throw damaged(
          "\(item.key): its bytes end at \(end), but there are only"
            + " \(file.bytes.count - dataStart); the file is truncated")
      }
      tensors[item.key] = try StoredTensor(
        file: file.name, key: item.key, dtype: item.dtype, shape: item.shape, storage: bytes)
    }
    guard dataStart + end == file.bytes.count else {
      throw damaged(
        "\(file.bytes.count - dataStart - end) bytes after the last tensor belong to no tensor")
    }
    return StateDict(file: file.name, tensors: tensors, metadata: metadata)
  }

  private func item(
    _ key: String, _ fields: [(key: String, value: JSONHeader)]
  ) throws(WeightsError) -> Item {
    var dtype: ElementType?
    var shape: [Int]?
    var offsets: [Int]?
    for (name, value) in fields {
      switch (name, value) {
      case ("dtype", .string(let text)):
        guard let known = ElementType(rawValue: text) else {
          throw .refused(file: file.name, found: "\(key) with elements of type \(text.prefix(40))")
        }
        dtype = known
      case ("shape", .array(let values)): shape = integers(values)
      case ("data_offsets", .array(let values)): offsets = integers(values)
      default: throw damaged("\(key): the header has an unexpected entry \(name.prefix(40))")
      }
    }
    guard let dtype, let shape, let offsets, offsets.count == 2, offsets[0] >= 0,
      offsets[0] <= offsets[1], offsets[1] <= file.bytes.count
    else {
      throw damaged(
        "\(key): the header's type, shape or offsets are missing or beyond the end of the file")
    }
    var bytes = dtype.size
    for extent in shape {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else { throw damaged("\(key): impossible shape \(shape)") }
      bytes = product
    }
    guard bytes == offsets[1] - offsets[0] else {
      throw damaged(
        "\(key): shape \(shape) of \(dtype.rawValue) needs \(bytes) bytes, but the header states"
          + " \(offsets[1] - offsets[0])")
    }
    return Item(key: key, dtype: dtype, shape: shape, range: offsets[0]..<offsets[1])
  }

  private func integers(_ values: [JSONHeader]) -> [Int]? {
    var result: [Int] = []
    for value in values {
      guard case .integer(let integer) = value else { return nil }
      result.append(integer)
    }
    return result
  }

  private func damaged(_ reason: String) -> WeightsError {
    .unreadable(file: file.name, reason: reason)
  }
}
