import Classifiers
import FaceData
import Foundation
import MediaIO

/// The manifests to work on, which of their samples to use, and how to measure their pictures.
package struct DatasetInput: Sendable {
  /// Folders with a `manifest.csv`, or CSV files.
  package var manifests: [URL]
  /// If set, only samples whose path begins with this are used.
  package var pathPrefix: String?
  /// If set, only samples of this collection (column `origin`) are used.
  package var origin: String?
  /// Computes the embeddings that tell which faces look alike. Nil: only hashes and thumbnails are
  /// compared.
  package var embedder: (any FaceEmbedder)?
  /// The folder in which fingerprints of pictures are cached between calls; nil: no cache.
  package var cache: URL?

  /// Takes all samples of the manifests. Each is a CSV file or a folder with a `manifest.csv`; at
  /// least one is needed.
  package init(_ manifests: [URL]) {
    precondition(!manifests.isEmpty, "DatasetInput: no manifest")
    self.manifests = manifests
  }

  /// The default cache folder for fingerprints: `$XDG_CACHE_HOME/dfkit/fingerprints`, by default
  /// `~/.cache/dfkit/fingerprints`. Nil if the environment names no home folder.
  package static func defaultCache(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> URL? {
    UserFolder.cache("fingerprints", environment)
  }

  /// The chosen samples of all manifests.
  package struct Samples: Sendable {
    /// The chosen samples, in the order of the manifests.
    package var manifest: FaceManifest
    /// The number of chosen samples of each manifest.
    package var counts: [Int]
    /// The row of each chosen sample, from 0, counted over all manifests and all their samples.
    package var rows: [Int]
  }

  /// Reads the manifests and keeps the samples that match `pathPrefix` and `origin`.
  ///
  /// - Parameter needsLabels: If false, labels are not read, and all samples count as real.
  /// - Throws: `DatasetError` if a manifest cannot be read or no sample matches.
  package func read(needsLabels: Bool = true) throws(DatasetError) -> Samples {
    var parts: [FaceManifest] = []
    var rows: [Int] = []
    var offset = 0
    for url in manifests {
      let manifest = try FaceManifest.read(url, needsLabels: needsLabels)
      let wanted = manifest.indices(pathPrefix: pathPrefix, origin: origin)
      rows += wanted.map { offset + $0 }
      offset += manifest.count
      parts.append(wanted.count == manifest.count ? manifest : manifest.subset(wanted))
    }
    guard !rows.isEmpty else {
      throw .impossible(
        problem: "no sample of the data has the given path prefix or origin")
    }
    return Samples(
      manifest: try FaceManifest.joined(parts), counts: parts.map(\.count), rows: rows)
  }

  /// Computes the fingerprints of the samples' pictures, or takes them from the cache.
  ///
  /// - Throws: `CancellationError` in a cancelled task, and the errors of the embedder. A picture
  ///   that cannot be read does not throw: the table lists it as unreadable.
  package func measure(
    _ samples: Samples, progress: (JobProgress) -> Void
  ) throws -> FingerprintTable {
    try FingerprintTable.measure(
      samples.manifest, embedder: embedder,
      cache: cache.map { cacheFile(samples.manifest, in: $0) }, progress: progress)
  }

  /// The cache file for one folder of pictures and one embedder. All manifests of that folder share
  /// it.
  private func cacheFile(_ manifest: FaceManifest, in folder: URL) -> URL {
    // If the folder cannot be created, the cache reports the problem when it is written.
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let key = manifest.commonFolder + "\n" + (embedder?.name ?? "")
    let digits = SHA256.digits(of: Data(key.utf8)).prefix(16)
    return folder.appendingPathComponent("\(digits).fingerprints")
  }
}
