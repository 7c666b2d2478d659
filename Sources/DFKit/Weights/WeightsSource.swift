import Classifiers
import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO

/// Where weights come from.
///
/// ```swift
/// let weights = WeightsSource(argument: "runs/b4/best.safetensors")  // or a name, as "default"
/// print(weights.name, try weights.digest())
/// let model = try ClassifierModel(weights.read())
/// ```
public enum WeightsSource: Sendable, Equatable {
  /// A file, or the folder of MTCNN's three; `state` is the entry of a PyTorch checkpoint that is
  /// meant (`StateDict.read`), nil for the usual one.
  case file(URL, state: String? = nil)
  /// What ships with dfkit.
  case shipped(ShippedWeights)

  /// What a command line says: the name of weights that ship, or a path.
  ///
  /// A file that has such a name is meant by `./name`; with `state` it is always a path, since what
  /// ships has one state.
  public init(argument: String, state: String? = nil) {
    if state == nil, let shipped = ShippedWeights.named(argument) {
      self = .shipped(shipped)
    } else {
      self = .file(URL(fileURLWithPath: argument), state: state)
    }
  }

  /// The path, or the name of what ships, for messages and reports.
  public var name: String {
    switch self {
    case .file(let url, _): url.relativePath
    case .shipped(let weights): "built-in \(weights.name)"
    }
  }

  /// The file; nil for what ships.
  public var file: URL? {
    if case .file(let url, _) = self { url } else { nil }
  }

  /// Whether there is such a file or folder; what ships always is.
  var isThere: Bool {
    guard let path = file?.resolvingSymlinksInPath().path else { return true }
    let type = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
    return type == .typeRegular || type == .typeDirectory
  }

  /// Whether both are the same weights, however their paths are written.
  func isSame(as other: WeightsSource) -> Bool {
    guard case .file(let one, let state) = self, case .file(let two, state) = other else {
      return self == other
    }
    return one.standardizedFileURL.path == two.standardizedFileURL.path
  }

  /// The tensors and the text beside them.
  ///
  /// - Throws: `WeightsError`.
  public func read() throws(WeightsError) -> StateDict {
    switch self {
    case .file(let url, nil): try MTCNN.readWeights(url)
    case .file(let url, let state?): try StateDict.read(url, entry: state)
    case .shipped(let weights): try weights.read()
    }
  }

  /// What reading decides that the file leaves open, in sentences for people: which of several
  /// states is taken, and which of several schemes with the same keys. Empty for what ships, and
  /// for what cannot be read.
  public func remarks(_ options: ClassifierOptions = ClassifierOptions()) -> [String] {
    (try? read()).map { remarks(on: $0, options) } ?? []
  }

  /// The same where `state` is what was read.
  func remarks(
    on state: StateDict, _ options: ClassifierOptions = ClassifierOptions()
  ) -> [String] {
    guard case .file(_, let chosen) = self else { return [] }
    let choice = chosen == nil ? state.stateRemark : nil
    return [choice, state.schemeRemark(options)].compactMap { $0 }
  }

  /// Their SHA-256: of the file, or of the hashes of the folder's files in the order of their
  /// names.
  ///
  /// - Throws: `WeightsError` where they cannot be read.
  public func digest() throws(WeightsError) -> String {
    switch self {
    case .file(let url, _): try Self.digest(url)
    case .shipped(let weights): weights.digest
    }
  }

  private static func digest(_ weights: URL) throws(WeightsError) -> String {
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: weights.path, isDirectory: &isFolder)
    guard isFolder.boolValue else { return try digest(file: weights) }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: weights.path)) ?? []
    var lines = ""
    for name in names.sorted() where !name.hasPrefix(".") {
      let file = weights.appendingPathComponent(name, isDirectory: false)
      _ = FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder)
      if isFolder.boolValue { continue }
      lines += "\(name) \(try digest(file: file))\n"
    }
    return SHA256.digits(of: Data(lines.utf8))
  }

  private static func digest(file: URL) throws(WeightsError) -> String {
    do {
      return try SHA256.digits(ofFile: file).digits
    } catch MediaError.unreadable(_, let reason) {
      throw .unreadable(file: file.relativePath, reason: reason)
    } catch {
      throw .unreadable(file: file.relativePath, reason: error.reason)
    }
  }
}

extension StateDict {
  /// Which of a checkpoint's states was taken, where another might have been meant.
  var stateRemark: String? {
    guard let checkpoint, let state = checkpoint.state else { return nil }
    let rivals = checkpoint.rivals(tensors: count).map(\.name)
    guard let first = rivals.first else { return nil }
    let names = rivals.prefix(4).joined(separator: ", ") + (rivals.count > 4 ? ", ..." : "")
    return "\(file): holds several states of about the same size: \(state) is taken, not \(names)."
      + " '--state \(first)' takes that, for one network and in 'weights convert'."
  }

  /// Which of several schemes with the same keys is taken, where neither the file nor `options`
  /// say.
  func schemeRemark(_ options: ClassifierOptions) -> String? {
    // A file that dfkit wrote says whose it is.
    guard options.scheme == nil, metadata["dfkit"] == nil else { return nil }
    return Scheme.doubt(in: self).map { "\(file): \($0)" }
  }
}
