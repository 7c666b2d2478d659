import Foundation
import Training

/// Audits manifests: reads them, looks at their pictures, and measures what leaks.
package struct AuditJob: Sendable {
  /// What is audited: one manifest whose column `split` makes the sides, or several, each a side.
  package var input: DatasetInput
  /// What is measured.
  package var audit = DatasetAudit()

  package init(_ input: DatasetInput) {
    self.input = input
  }

  /// What came out.
  package struct Result: Sendable {
    /// The samples that were looked at.
    package var manifest: FaceManifest
    /// What was found.
    package var report: AuditReport
    /// What else there is to know.
    package var notes: [String] = []
    /// What was audited.
    package var names: [String] = []
  }

  /// Audits.
  ///
  /// - Throws: `DatasetError`, `CancellationError`, what the embedder throws.
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
        "there is one side only, so nothing can leak between sides: give the manifest a column"
          + " split"
          + " ('dfkit split' does), or name several manifests")
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

  /// Short names for manifests: the folder or the file, with more of the path where two are alike.
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
