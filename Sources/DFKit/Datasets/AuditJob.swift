import FaceData
import Foundation

/// Reads manifests, compares their pictures, and reports leaks between sides, label conflicts and
/// shortcuts.
package struct AuditJob: Sendable {
  /// One manifest, whose column `split` names the sides, or several manifests, each of which is one
  /// side.
  package var input: DatasetInput
  /// How pictures are compared and which shortcuts are looked for.
  package var audit = DatasetAudit()

  package init(_ input: DatasetInput) {
    self.input = input
  }

  /// The report of an audit and the samples it is about.
  package struct Result: Sendable {
    /// The audited samples; indices in `report` refer to it. Samples marked as unused are left out.
    package var manifest: FaceManifest
    /// Leaks, label conflicts, shortcuts and unreadable pictures.
    package var report: AuditReport
    /// Remarks for people, such as a cache that could not be used or that there is only one side.
    package var notes: [String] = []
    /// The paths of the manifests, relative to the current folder.
    package var names: [String] = []
  }

  /// Measures the pictures and compares the sides. If a single manifest has no column `split`, all
  /// its samples are one side and no leak can be found.
  ///
  /// - Throws: `DatasetError` if a manifest or its pictures cannot be used, `CancellationError` in
  ///   a cancelled task, and the errors of the embedder.
  package func run(progress: (JobProgress) -> Void = { _ in }) throws -> Result {
    let samples = try input.read()
    var (manifest, sides) = try sides(samples)
    try manifest.checkFiles()
    var looked = samples
    looked.manifest = manifest
    let table = try input.measure(looked, progress: progress)
    progress(.stage("comparing \(table.count) pictures"))
    if sides.names.isEmpty {
      sides = AuditSides(
        names: ["all"], sides: [Int](repeating: 0, count: manifest.count))
    }
    let report = try audit.report(manifest, sides, table)
    var notes: [String] = []
    if let problem = table.cacheProblem { notes.append(problem) }
    if sides.names.count == 1 {
      notes.append(
        "there is only one side, so there can be no leak between sides: add a column 'split' to the"
          + " manifest ('dfkit split' does), or name several manifests")
    }
    return Result(
      manifest: manifest, report: report, notes: notes,
      names: input.manifests.map(\.relativePath))
  }

  private func sides(
    _ samples: DatasetInput.Samples
  ) throws(DatasetError) -> (FaceManifest, AuditSides) {
    guard input.manifests.count == 1 else {
      let names = Self.names(input.manifests)
      let counts = zip(names, samples.counts).map { (name: $0, count: $1) }
      return (samples.manifest, AuditSides(manifests: counts))
    }
    if let parts = try AuditSides.parts(of: samples.manifest) {
      return (parts.manifest, parts.sides)
    }
    return (samples.manifest, AuditSides(names: [], sides: []))
  }

  /// Short names for manifests: the last path component, or more components where two names would
  /// be equal.
  private static func names(_ urls: [URL]) -> [String] {
    let parts = urls.map { $0.standardizedFileURL.pathComponents }
    return parts.map { path in
      (1...max(1, path.count)).lazy.map { path.suffix($0).joined(separator: "/") }
        .first { name in
          parts.count { $0.suffix(name.split(separator: "/").count).joined(separator: "/") == name }
            == 1
        } ?? path.joined(separator: "/")
    }
  }
}
