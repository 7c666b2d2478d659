import FaceData
import Foundation

/// Which samples of some manifests are scored.
package struct SampleChoice: Sendable {
  /// Which part of the data is taken.
  package enum Part: Sendable, Equatable {
    /// The samples that the column `split` assigns to this part. If there is no such column,
    /// `.validation` means the samples that training would hold out, and other parts are an error.
    case named(DatasetPart)
    /// All samples.
    case all
  }

  /// Folders with a `manifest.csv`, or CSV files.
  package var data: [URL]
  /// The part of the data to take; the validation part by default.
  package var part = Part.named(.validation)
  /// If set, only samples whose path begins with this are taken.
  package var pathPrefix: String?
  /// If set, only samples of this collection (column `origin`) are taken.
  package var origin: String?

  /// Takes the validation part of the manifests.
  package init(_ data: [URL]) {
    self.data = data
  }

  /// The chosen samples, with facts for the report.
  package struct Samples: Sendable {
    package var manifest: FaceManifest
    /// The hash of all the manifests, before samples are chosen.
    package var digest: String
    /// A description of the choice for reports, such as "all samples".
    package var words: String
  }

  /// Reads the manifests and chooses samples. Pseudo-labelled samples are left out: a teacher's
  /// opinion cannot tell how good a network is.
  ///
  /// - Throws: `DatasetError` if a manifest cannot be read, or if no sample matches the choice.
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
        problem: "no sample of the data has the given path prefix or origin")
    }
    let pseudo = manifest.pseudoLabelledCount
    let without = pseudo == 0 ? "" : ", without \(pseudo) pseudo-labelled"
    manifest = manifest.withKnownLabels
    guard !manifest.isEmpty else {
      throw .impossible(
        problem: "a teacher gave all labels of the data (the column probability), so they cannot"
          + " tell how good a network is; give samples whose labels are known")
    }
    switch part {
    case .all:
      return Samples(manifest: manifest, digest: digest, words: "all samples" + without)
    case .named(let part) where manifest.hasSplit:
      let parts = try manifest.parts()
      let subset = manifest.subset(parts.indices.filter { parts[$0] == part })
      guard !subset.isEmpty else {
        throw .impossible(
          problem:
            "the column 'split' has no sample with '\(part.rawValue)'; choose another part"
            + " with --split")
      }
      return Samples(
        manifest: subset, digest: digest, words: "the part '\(part.rawValue)'" + without)
    case .named(.validation):
      let split = try HoldOut().split(manifest)
      return Samples(
        manifest: split.heldOut, digest: digest,
        words: "what training holds out (\(split.rule.rawValue))" + without)
    case .named(let part):
      throw .impossible(
        problem:
          "the data has no column 'split' for the part '\(part.rawValue)'; 'dfkit split' adds"
          + " one, and --split all uses all samples")
    }
  }
}
