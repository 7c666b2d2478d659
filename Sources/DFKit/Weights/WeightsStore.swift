import FaceDetect
import Foundation

/// The folder of the user where fetched weights lie, one folder an entry of the catalogue.
///
/// It is `$XDG_DATA_HOME/dfkit/weights`, by default `~/.local/share/dfkit/weights` (XDG Base Directory
/// Specification 0.8).
public struct WeightsStore: Sendable, Equatable {
  /// The folder; it need not exist.
  public let folder: URL

  /// A store in a folder of one's own.
  public init(folder: URL) {
    self.folder = folder
  }

  /// The user's store. As the specification asks, a relative `XDG_DATA_HOME` is passed over.
  ///
  /// - Throws: `WeightsStoreError.noHome` where the environment names no home folder.
  public init(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(WeightsStoreError) {
    guard let folder = UserFolder.data("weights", environment) else { throw .noHome }
    self.folder = folder
  }

  /// Where an entry's files lie or would lie.
  public func folder(of name: String) -> URL {
    folder.appendingPathComponent(name)
  }

  /// What to load an entry's weights from: its file, or its folder where it has several files. Nil where
  /// the entry has not been fetched.
  public func url(of name: String) -> URL? {
    guard Recipe.isName(name) else { return nil }
    let folder = folder(of: name)
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let visible = files.filter { !$0.hasPrefix(".") }
    guard let first = visible.first else { return nil }
    return visible.count == 1 ? folder.appendingPathComponent(first) : folder
  }
}

extension WeightsStore {
  /// The weights of an entry where an argument names one that has been fetched, and no file of that name is there.
  public func url(named argument: String) -> URL? {
    FileManager.default.fileExists(atPath: argument) ? nil : url(of: argument)
  }

  /// The first detector whose weights have been fetched; if none have, the first whose weights ship.
  public var detector: Recipe.Detector.Kind? {
    Recipe.Detector.Kind.allCases.first { $0.fetchedWeights(in: self) != nil }
      ?? Recipe.Detector.Kind.allCases.first { $0.shippedWeights != nil }
  }
}

/// Why the store's weights cannot be used.
public enum WeightsStoreError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The environment names no home folder.
  case noHome
  /// A detector's weights are needed and have not been fetched; `others` are detectors whose have.
  case missing(detector: String, entry: String, folder: String, others: [String])

  /// The message for people.
  public var description: String {
    switch self {
    case .noHome:
      "no place for weights is known: set HOME or XDG_DATA_HOME to a full path, or name the weights"
        + " themselves (--detector-weights)."
    case .missing(let detector, let entry, let folder, let others):
      "the weights of \(detector) are not in \(folder). Fetch them with"
        + " 'dfkit weights fetch \(entry)', or name them with --detector-weights."
        + others.map { " Those of \($0) are there: --detector \($0) takes them." }.joined()
    }
  }
}

extension Recipe.Detector {
  /// Where the detector's weights come from: what was given, what the recipe names, the store, or what
  /// ships.
  ///
  /// - Throws: `WeightsStoreError` where there are none.
  public func weights(
    given: WeightsSource?, in store: WeightsStore
  ) throws(WeightsStoreError) -> WeightsSource {
    if let given { return given }
    if let shipped = weights.flatMap(ShippedWeights.named) { return .shipped(shipped) }
    if let url = kind.fetchedWeights(in: store) { return .file(url) }
    if let shipped = kind.shippedWeights { return .shipped(shipped) }
    let others = Kind.allCases.filter { $0.fetchedWeights(in: store) != nil }
    throw .missing(
      detector: kind.rawValue, entry: kind.storeEntries[0], folder: store.folder.path,
      others: others.map(\.rawValue))
  }
}

extension Recipe.Detector {
  /// These settings where their weights can be had without being given; otherwise those of a detector that
  /// ships, with its own thresholds and the same scale of frames.
  ///
  /// - Parameter store: where fetched weights lie; nil for nowhere.
  public func atHand(in store: WeightsStore?) -> Recipe.Detector {
    if let store, (try? weights(given: nil, in: store)) != nil { return self }
    guard weights == nil, let shipped = Kind.allCases.first(where: { $0.shippedWeights != nil })
    else { return self }
    var other = Recipe.Detector()
    other.kind = shipped
    other.weights = shipped.shippedWeights?.name
    other.frameScale = frameScale
    return other
  }
}

extension Recipe.Detector.Kind {
  /// The catalogue's entries that serve the detector, in the order in which they are looked for.
  public var storeEntries: [String] {
    switch self {
    case .retinaface: ["retinaface-mobilenet0.25", "retinaface-resnet50"]
    case .mtcnn: ["mtcnn"]
    }
  }

  /// The weights of this detector that ship; nil where none do.
  public var shippedWeights: ShippedWeights? {
    ShippedWeights.all.first { weights in
      guard weights.card?.kind == .detector, let state = try? weights.read() else { return false }
      return switch DetectorWeights(recognizing: state) {
      case .retinaface: self == .retinaface
      case .mtcnn: self == .mtcnn
      case .mtcnnPart, nil: false
      }
    }
  }

  fileprivate func fetchedWeights(in store: WeightsStore) -> URL? {
    storeEntries.lazy.compactMap { store.url(of: $0) }.first
  }
}
