import Foundation

/// The user's folder of fetched weights, with one subfolder for each entry of the catalogue.
///
/// The folder is `$XDG_DATA_HOME/dfkit/weights`, by default `~/.local/share/dfkit/weights` (XDG
/// Base Directory Specification 0.8).
package struct WeightsStore: Sendable, Equatable {
  /// The path of the store. The folder need not exist.
  package let folder: URL

  /// A store in the given folder.
  package init(folder: URL) {
    self.folder = folder
  }

  /// The user's store. A relative `XDG_DATA_HOME` is ignored, as the specification requires.
  ///
  /// - Throws: `WeightsStoreError.noHome` if the environment names no home folder.
  package init(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(WeightsStoreError) {
    guard let folder = UserFolder.data("weights", environment) else { throw .noHome }
    self.folder = folder
  }

  /// The folder of an entry, whether or not it has been fetched.
  package func folder(of name: String) -> URL {
    folder.appendingPathComponent(name)
  }

  /// The path to load an entry's weights from: its file, or its folder if it has several files. Nil
  /// if the entry has not been fetched or the name is invalid.
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
  /// The weights of the fetched entry that `argument` names. Nil if there is no such entry, or if a
  /// file with that path exists.
  package func url(named argument: String) -> URL? {
    FileManager.default.fileExists(atPath: argument) ? nil : url(of: argument)
  }
}

/// Why no weights can be taken from the store.
package enum WeightsStoreError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The environment names no home folder.
  case noHome
  /// The detector's weights have not been fetched. `others` are the detectors with fetched weights.
  case missing(detector: String, entry: String?, folder: String, others: [String])
  /// The weights file that a recipe names for its detector does not exist.
  case noFile(String)

  /// The error message, with a remedy.
  package var description: String {
    switch self {
    case .noHome:
      "no folder for weights is known: set HOME or XDG_DATA_HOME to an absolute path, or name the"
        + " weights file (--detector-weights)."
    case .missing(let detector, let entry, let folder, let others):
      (entry.map {
        "the weights of \(detector) are not in \(folder). Fetch them with 'dfkit weights fetch"
          + " \($0)', or name them with --detector-weights."
      } ?? "\(detector) needs weights: name them with --detector-weights.")
        + others.map { " The weights of \($0) are there: --detector \($0) uses them." }.joined()
    case .noFile(let file):
      "the recipe names \(file) as the weights of its detector: there is no such file. Give"
        + " --detector-weights, or correct the recipe."
    }
  }
}
