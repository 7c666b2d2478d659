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
  /// A file, or the folder of MTCNN's three files. `state` is the entry to take from a PyTorch
  /// checkpoint (`StateDict.read`); nil: the default one.
  case file(URL, state: String? = nil)
  /// Weights that ship with dfkit.
  case shipped(ShippedWeights)

  /// Weights named by a command's argument: the name of weights that ship, or a path.
  ///
  /// To name a file that has the same name as weights that ship, write `./name`. With `state`, the
  /// argument is always a path, since weights that ship have a single state.
  public init(argument: String, state: String? = nil) {
    if state == nil, let shipped = ShippedWeights.named(argument) {
      self = .shipped(shipped)
    } else {
      self = .file(URL(fileURLWithPath: argument), state: state)
    }
  }

  /// The path, or `built-in NAME` for weights that ship; for messages and reports.
  public var name: String {
    switch self {
    case .file(let url, _): url.relativePath
    case .shipped(let weights): "built-in \(weights.name)"
    }
  }

  /// The file; nil for weights that ship.
  public var file: URL? {
    if case .file(let url, _) = self { url } else { nil }
  }

  /// Whether the file or folder exists. Always true for weights that ship.
  var exists: Bool {
    guard let path = file?.resolvingSymlinksInPath().path else { return true }
    let type = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
    return type == .typeRegular || type == .typeDirectory
  }

  /// Whether both are the same weights, even if their paths are written differently.
  func isSame(as other: WeightsSource) -> Bool {
    guard case .file(let one, let state) = self, case .file(let two, state) = other else {
      return self == other
    }
    return one.standardizedFileURL.path == two.standardizedFileURL.path
  }

  /// Reads the tensors and the metadata.
  ///
  /// - Throws: `WeightsError` if they cannot be read.
  public func read() throws(WeightsError) -> StateDict {
    switch self {
    case .file(let url, nil): try DetectorFamilies.readWeights(url).namedByGraph()
    case .file(let url, let state?): try StateDict.read(url, entry: state)
    case .shipped(let weights): try weights.read()
    }
  }

  /// What is assumed when reading because the file does not say it, in sentences: which of several
  /// states is taken, and which of several schemes with the same keys. Empty for weights that ship
  /// or cannot be read.
  public func remarks(_ options: ClassifierOptions = ClassifierOptions()) -> [String] {
    (try? read()).map { remarks(on: $0, options) } ?? []
  }

  /// The remarks on weights that were already read as `state`.
  func remarks(
    on state: StateDict, _ options: ClassifierOptions = ClassifierOptions()
  ) -> [String] {
    guard case .file(_, let chosen) = self else { return [] }
    let choice = chosen == nil ? state.stateRemark : nil
    return [choice, state.schemeRemark(options)].compactMap { $0 }
  }

  /// The SHA-256 of the file. For a folder, the SHA-256 of a list with the names and hashes of its
  /// files, sorted by name.
  ///
  /// - Throws: `WeightsError` if a file cannot be read.
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
  /// Which state of a checkpoint is taken; nil if there is no other state of about the same size.
  var stateRemark: String? {
    guard let checkpoint, let state = checkpoint.state else { return nil }
    let rivals = checkpoint.rivals(tensors: count).map(\.name)
    guard let first = rivals.first else { return nil }
    let names = rivals.prefix(4).joined(separator: ", ") + (rivals.count > 4 ? ", ..." : "")
    return "\(file): holds several states of about the same size: \(state) is used, not \(names)."
      + " '--state \(first)' chooses another, for a single network and in 'weights convert'."
  }

  /// Which of several schemes with the same keys is assumed; nil if the file or `options` name the
  /// scheme.
  func schemeRemark(_ options: ClassifierOptions) -> String? {
    // Files written by dfkit name their scheme.
    guard options.scheme == nil, metadata["dfkit"] == nil else { return nil }
    return Scheme.warning(in: self).map { "\(file): \($0)" }
  }
}
