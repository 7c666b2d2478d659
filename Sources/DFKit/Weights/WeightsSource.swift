import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO

/// Where weights come from.
public enum WeightsSource: Sendable, Equatable {
  /// A file, or the folder of MTCNN's three.
  case file(URL)
  /// What ships with dfkit.
  case shipped(ShippedWeights)

  /// What a command line says: the name of weights that ship, or a path.
  ///
  /// A file that has such a name is meant by `./name`.
  public init(argument: String) {
    if let shipped = ShippedWeights.named(argument) {
      self = .shipped(shipped)
    } else {
      self = .file(URL(fileURLWithPath: argument))
    }
  }

  /// The path, or the name of what ships, for messages and reports.
  public var name: String {
    switch self {
    case .file(let url): url.relativePath
    case .shipped(let weights): "built-in \(weights.name)"
    }
  }

  /// The file; nil for what ships.
  public var file: URL? {
    if case .file(let url) = self { url } else { nil }
  }

  /// The tensors and the text beside them.
  ///
  /// - Throws: `WeightsError`.
  public func read() throws(WeightsError) -> StateDict {
    switch self {
    case .file(let url): try MTCNN.readWeights(url)
    case .shipped(let weights): try weights.read()
    }
  }

  /// Their SHA-256: of the file, or of the hashes of the folder's files in the order of their names.
  ///
  /// - Throws: `WeightsError` where they cannot be read.
  public func digest() throws(WeightsError) -> String {
    switch self {
    case .file(let url): try Self.digest(url)
    case .shipped(let weights): weights.digest
    }
  }

  private static func digest(_ weights: URL) throws(WeightsError) -> String {
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: weights.path, isDirectory: &isFolder)
    guard isFolder.boolValue else { return try TrainingJob.digest(weights) }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: weights.path)) ?? []
    var lines = ""
    for name in names.sorted() where !name.hasPrefix(".") {
      let file = weights.appendingPathComponent(name, isDirectory: false)
      _ = FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder)
      if isFolder.boolValue { continue }
      lines += "\(name) \(try TrainingJob.digest(file))\n"
    }
    return SHA256.digits(of: Data(lines.utf8))
  }
}
