import Classifiers
import Foundation
import MediaIO
import Training

/// Manifests to work on, and how their pictures are looked at.
package struct DatasetInput: Sendable {
  /// Folders with a `manifest.csv`, or CSV files.
  package var manifests: [URL]
  /// Only samples whose path begins so.
  package var pathPrefix: String?
  /// Only samples of this collection.
  package var origin: String?
  /// What says which faces look alike; nil for hashes and thumbnails alone.
  package var embedder: (any FaceEmbedder)?
  /// The folder in which fingerprints are kept from call to call; nil to keep none.
  package var cache: URL?

  /// All samples of some manifests, looked at without an embedder.
  package init(_ manifests: [URL]) {
    precondition(!manifests.isEmpty, "DatasetInput: no manifest")
    self.manifests = manifests
  }

  /// The folder where fingerprints are kept unless told otherwise:
  /// `$XDG_CACHE_HOME/dfkit/fingerprints`, by default `~/.cache/dfkit/fingerprints`. Nil where the
  /// environment names no home folder.
  package static func usualCache(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> URL? {
    UserFolder.cache("fingerprints", environment)
  }

  /// The manifests as they were read.
  package struct Samples: Sendable {
    /// The samples that are wanted, one manifest after the other.
    package var manifest: FaceManifest
    /// How many of them each manifest has.
    package var counts: [Int]
    /// The row of each, counted over all manifests and all their samples.
    package var rows: [Int]
  }

  /// Reads the manifests.
  ///
  /// - Throws: `DatasetError`.
  package func read() throws(DatasetError) -> Samples {
    var parts: [FaceManifest] = []
    var rows: [Int] = []
    var offset = 0
    for url in manifests {
      let manifest = try FaceManifest.read(url)
      let wanted = manifest.indices(pathPrefix: pathPrefix, origin: origin)
      rows += wanted.map { offset + $0 }
      offset += manifest.count
      parts.append(wanted.count == manifest.count ? manifest : manifest.subset(wanted))
    }
    guard !rows.isEmpty else {
      throw .impossible(
        problem: "no sample of the data has the path prefix or the origin asked for")
    }
    return Samples(
      manifest: try FaceManifest.joined(parts), counts: parts.map(\.count), rows: rows)
  }

  /// Looks at the pictures.
  ///
  /// - Throws: `CancellationError`, and what the embedder throws. A picture that cannot be used is
  ///   noted in the table.
  package func measure(
    _ samples: Samples, progress: (JobProgress) -> Void
  ) throws -> FingerprintTable {
    try FingerprintTable.measure(
      samples.manifest, embedder: embedder,
      cache: cache.map { cacheFile(samples.manifest, in: $0) }, progress: progress)
  }

  /// One file for the pictures of a folder and an embedder, whichever manifest lists them.
  private func cacheFile(_ manifest: FaceManifest, in folder: URL) -> URL {
    // Where it cannot be made, the cache says so itself.
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let key = manifest.commonFolder + "\n" + (embedder?.name ?? "")
    let digits = SHA256.digits(of: Data(key.utf8)).prefix(16)
    return folder.appendingPathComponent("\(digits).fingerprints")
  }
}
