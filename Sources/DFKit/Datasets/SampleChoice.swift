import Foundation
import Training

/// Which samples of some manifests are judged.
package struct SampleChoice: Sendable {
  /// A part of the data.
  package enum Part: Sendable, Equatable {
    /// Those that the column `split` says, or, where there is none and `.validation` is asked for,
    /// those that training would hold out.
    case named(DatasetPart)
    /// All of them.
    case all
  }

  /// Folders with a `manifest.csv`, and CSV files.
  package var data: [URL]
  /// Which samples.
  package var part = Part.named(.validation)
  /// What the paths of samples begin with that count; nil for all.
  package var pathPrefix: String?
  /// The collection of samples that count; nil for all.
  package var origin: String?

  /// The validation part of some manifests.
  package init(_ data: [URL]) {
    self.data = data
  }

  /// The samples as they were read.
  package struct Samples: Sendable {
    /// Those that were asked for.
    package var manifest: FaceManifest
    /// The hash of all the manifests.
    package var digest: String
    /// Which samples they are, in words.
    package var words: String
  }

  /// Reads the manifests.
  ///
  /// - Throws: `DatasetError`, also where no sample is asked for.
  package func read() throws(DatasetError) -> Samples {
    var manifests: [FaceManifest] = []
    for url in data { manifests.append(try FaceManifest.read(url)) }
    var manifest = try FaceManifest.joined(manifests)
    let digest = manifest.digest
    if pathPrefix != nil || origin != nil {
      manifest = manifest.filtered(pathPrefix: pathPrefix, origin: origin)
    }
    guard !manifest.isEmpty else {
      throw .impossible(
        problem: "no sample of the data has the path prefix or the origin asked for")
    }
    switch part {
    case .all: return Samples(manifest: manifest, digest: digest, words: "all samples")
    case .named(let part) where manifest.hasSplit:
      let parts = try manifest.parts()
      let subset = manifest.subset(parts.indices.filter { parts[$0] == part })
      guard !subset.isEmpty else {
        throw .impossible(
          problem:
            "the column split names no sample '\(part.rawValue)'; --split asks for another part")
      }
      return Samples(manifest: subset, digest: digest, words: "the part '\(part.rawValue)'")
    case .named(.validation):
      let split = try HoldOut().split(manifest)
      return Samples(
        manifest: split.heldOut, digest: digest,
        words: "what training holds out (\(split.rule.rawValue))")
    case .named(let part):
      throw .impossible(
        problem:
          "the data have no column split that names the part '\(part.rawValue)'; 'dfkit split'"
          + " makes one, and --split all takes every sample")
    }
  }
}
