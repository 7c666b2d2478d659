import Foundation

/// The files beside an ONNX model that hold the elements of its tensors. Each is mapped when a
/// tensor first needs it.
///
/// A model can only name files in its own folder: a path that leads out of it, also through a
/// symbolic link, is refused.
final class ONNXExternalData {
  private let folder: URL
  /// The model's name, for messages.
  private let model: String
  private var files: [String: MappedFile] = [:]
  /// The size in bytes of all files that were mapped.
  private(set) var size = 0

  /// The maximum number of files; older versions of PyTorch write one a tensor.
  private static let fileLimit = 1 << 14

  init(folder: URL, model: String) {
    self.folder = folder
    self.model = model
  }

  /// The bytes of the tensor `key`.
  ///
  /// - Parameters:
  ///   - places: The entries of the tensor: `location`, and optionally `offset` and `length`.
  ///   - count: The number of bytes that the tensor's shape needs.
  /// - Throws: `WeightsError.unreadable` if the place is not in a file of the model's folder.
  func bytes(
    at places: [String: String], count: Int, of key: String
  ) throws(WeightsError) -> StoredBytes {
    guard let location = places["location"] else {
      throw unreadable(key, "is in another file, but the model does not name the file")
    }
    let offset = try number(places["offset"] ?? "0", "offset", key)
    let length = try number(places["length"] ?? "\(count)", "length", key)
    guard length == count else {
      throw unreadable(key, "needs \(count) bytes, but the model states \(length)")
    }
    let file = try file(at: location, for: key)
    guard let bytes = file.slice(at: offset, count: count) else {
      throw unreadable(
        key,
        "needs the bytes from \(offset) to \(offset.addingReportingOverflow(count).partialValue)"
          + " of \(location), which has only \(file.bytes.count); copy that file again")
    }
    return bytes
  }

  private func number(
    _ text: String, _ name: String, _ key: String
  ) throws(WeightsError) -> Int {
    guard let value = Int(text), value >= 0 else {
      throw unreadable(key, "has the invalid \(name) \(text.prefix(40)) in another file")
    }
    return value
  }

  private func file(at location: String, for key: String) throws(WeightsError) -> MappedFile {
    if let file = files[location] { return file }
    let names = location.split(separator: "/", omittingEmptySubsequences: false)
    let isPlain = location.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }
    guard isPlain, names.allSatisfy({ !$0.isEmpty && $0 != ".." }), location.utf8.count <= 1024
    else {
      throw unreadable(
        key,
        "is in \(location.prefix(100).debugDescription), which is not the path of a file in the"
          + " model's folder; \(Self.wayOut)")
    }
    guard files.count < Self.fileLimit else {
      throw unreadable(key, "is in one of more than \(Self.fileLimit) files; \(Self.wayOut)")
    }
    let url = folder.appendingPathComponent(location)
    guard let root = Self.resolved(folder.path), let path = Self.resolved(url.path) else {
      throw unreadable(
        key,
        "is in separate files, of which \(location) cannot be found (\(MappedFile.reason(errno)));"
          + " put it beside the model, or \(Self.wayOut)")
    }
    guard path.hasPrefix(root.hasSuffix("/") ? root : root + "/") else {
      throw unreadable(
        key,
        "is in \(location), a symbolic link that leads out of the model's folder; copy the file"
          + " itself into the folder, or \(Self.wayOut)")
    }
    let file: MappedFile
    do throws(WeightsError) {
      file = try MappedFile(URL(fileURLWithPath: path))
    } catch {
      guard case .unreadable(_, let reason) = error else { throw error }
      throw unreadable(key, "is in \(location), which cannot be read: \(reason)")
    }
    files[location] = file
    size += file.bytes.count
    return file
  }

  /// The absolute path without symbolic links; nil, and `errno`, if there is no such file.
  private static func resolved(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }

  private static let wayOut = "save the model as one file (save_as_external_data=False)"

  private func unreadable(_ key: String, _ reason: String) -> WeightsError {
    .unreadable(file: model, reason: "tensor \(key.isEmpty ? "without a name" : key) \(reason)")
  }
}
