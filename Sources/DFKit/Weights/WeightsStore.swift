import Foundation

/// The folder of the user where fetched weights lie, one folder an entry of the catalogue.
///
/// It is `$XDG_DATA_HOME/dfkit/weights`, by default `~/.local/share/dfkit/weights` (XDG Base
/// Directory Specification 0.8).
package struct WeightsStore: Sendable, Equatable {
  /// The folder; it need not exist.
  package let folder: URL

  /// A store in a folder of one's own.
  package init(folder: URL) {
    self.folder = folder
  }

  /// The user's store. As the specification asks, a relative `XDG_DATA_HOME` is passed over.
  ///
  /// - Throws: `WeightsStoreError.noHome` where the environment names no home folder.
  package init(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(WeightsStoreError) {
    guard let folder = UserFolder.data("weights", environment) else { throw .noHome }
    self.folder = folder
  }

  /// Where an entry's files lie or would lie.
  package func folder(of name: String) -> URL {
    folder.appendingPathComponent(name)
  }

  /// What to load an entry's weights from: its file, or its folder where it has several files. Nil
  /// where the entry has not been fetched.
  package func url(of name: String) -> URL? {
    guard Recipe.isName(name) else { return nil }
    let folder = folder(of: name)
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let visible = files.filter { !$0.hasPrefix(".") }
    guard let first = visible.first else { return nil }
    return visible.count == 1 ? folder.appendingPathComponent(first) : folder
  }
}

extension WeightsStore {
  /// The weights of an entry where an argument names one that has been fetched, and no file of that
  /// name is there.
  package func url(named argument: String) -> URL? {
    FileManager.default.fileExists(atPath: argument) ? nil : url(of: argument)
  }
}

/// Why the store's weights cannot be used.
package enum WeightsStoreError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The environment names no home folder.
  case noHome
  /// A detector's weights are needed and have not been fetched; `others` are detectors whose have.
  case missing(detector: String, entry: String, folder: String, others: [String])
  /// The file that a recipe names for its detector is not there.
  case noFile(String)

  /// The message for people.
  package var description: String {
    switch self {
    case .noHome:
      "no place for weights is known: set HOME or XDG_DATA_HOME to a full path, or name the weights"
        + " themselves (--detector-weights)."
    case .missing(let detector, let entry, let folder, let others):
      "the weights of \(detector) are not in \(folder). Fetch them with"
        + " 'dfkit weights fetch \(entry)', or name them with --detector-weights."
        + others.map { " Those of \($0) are there: --detector \($0) takes them." }.joined()
    case .noFile(let file):
      "the recipe names \(file) as the weights of its detector: there is no such file. Give"
        + " --detector-weights, or correct the recipe."
    }
  }
}
