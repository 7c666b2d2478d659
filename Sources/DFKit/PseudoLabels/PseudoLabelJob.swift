import Classifiers
import DeepfakeCore
import FaceData
import FaceDetect
import Foundation
import MediaIO

/// Judges faces with a teacher and writes a manifest of those of which it is sure, with its
/// probabilities as labels: the work of `dfkit pseudo-label`.
///
/// Labels that the faces have are not read. Samples that the column `split` calls validation, test
/// or unused are not judged: a student must not learn from them.
package struct PseudoLabelJob: Sendable {
  /// The manifests, and which of their samples are judged.
  package var input: DatasetInput
  /// The network or the recipe that judges.
  package let teacher: CalibrationJob.Subject
  /// The manifest to write.
  package let output: URL
  /// Which faces are kept.
  package var rule = PseudoLabelRule()
  /// The folder in which the teacher's scores are cached between calls; nil: no cache.
  package var cache: URL?

  package init(_ input: DatasetInput, teacher: CalibrationJob.Subject, output: URL) {
    self.input = input
    self.teacher = teacher
    self.output = output
  }

  /// What was judged and kept.
  package struct Result: Sendable {
    /// The numbers of faces of one collection (the column `origin`).
    package struct Source: Sendable, Equatable {
      /// The name of the collection; nil if unknown.
      package var name: String?
      /// The number of faces that the teacher judged.
      package var judged = 0
      /// Of how many faces the teacher is sure that they are real, and that they are fake.
      package var sure = [0, 0]
      /// How many of these are in the written manifest.
      package var kept = [0, 0]

      init(name: String? = nil) {
        self.name = name
      }
    }

    /// The teacher's name, and the SHA-256 of its weights.
    package var teacher: (name: String, sha256: String)
    /// Whether the teacher's probabilities are calibrated; nil: unknown.
    package var isCalibrated: Bool?
    package var rule: PseudoLabelRule
    package var output: URL
    /// In the order of first appearance.
    package var sources: [Source] = []
    /// The number of samples that were not judged, because of the column `split`.
    package var leftOut = 0
    /// Pictures that could not be judged.
    package var failures: [EvaluationJob.Failure] = []
    /// Why scores could not be cached; nil if the cache works or none is used.
    package var cacheProblem: String?

    /// The sums over all sources.
    package var all: Source {
      sources.reduce(into: Source()) { all, source in
        all.judged += source.judged
        for label in 0..<2 {
          all.sure[label] += source.sure[label]
          all.kept[label] += source.kept[label]
        }
      }
    }
  }

  /// Judges the faces and writes the manifest. A picture that cannot be read is listed as a failure
  /// and does not stop the job.
  ///
  /// - Throws: `WeightsError` and `ClassifierError` if the teacher cannot be used or gives no
  ///   probability; `DatasetError` if a manifest cannot be read, no face can be judged or kept, or
  ///   the output cannot be written; `CancellationError` in a cancelled task.
  package func run(progress: (JobProgress) -> Void = { _ in }) throws -> Result {
    if let same = input.manifests.first(where: { isOutput($0) }) {
      throw DatasetError.unwritable(
        file: output.relativePath,
        reason: "it is the manifest \(same.relativePath), whose faces are to be judged; give"
          + " another file")
    }
    let samples = try input.read(needsLabels: false)
    let manifest = samples.manifest
    let parts = try manifest.knownParts()
    let wanted = manifest.table.rows.indices.filter { parts[$0] ?? .training == .training }
    guard !wanted.isEmpty else {
      throw DatasetError.impossible(
        problem: "the column split has no sample for training (train); pseudo-labels are not made"
          + " of validation and test samples")
    }
    let judge = try judge()
    var result = Result(
      teacher: (teacher.title, try teacher.digest()), isCalibrated: judge.isCalibrated, rule: rule,
      output: output)
    result.leftOut = manifest.count - wanted.count
    let probabilities = try judge.probabilities(
      wanted, of: manifest, cache: try cacheFile(), into: &result, progress)
    let kept = rule.choice(manifest, probabilities)
    count(manifest, probabilities, kept, into: &result)
    guard !kept.isEmpty else {
      throw DatasetError.impossible(problem: nothingKept(probabilities, result))
    }
    try write(manifest, samples.rows, probabilities, kept, result)
    return result
  }

  private func isOutput(_ manifest: URL) -> Bool {
    FaceManifest.file(of: manifest).resolvingSymlinksInPath().standardizedFileURL.path
      == output.resolvingSymlinksInPath().standardizedFileURL.path
  }

  private func count(
    _ manifest: FaceManifest, _ probabilities: [Float?], _ kept: [Int], into result: inout Result
  ) {
    var places: [Int32: Int] = [:]
    let isKept = Set(kept)
    for (index, row) in manifest.table.rows.enumerated() {
      guard let probability = probabilities[index] else { continue }
      let place = places[row.origin] ?? result.sources.count
      if place == result.sources.count {
        places[row.origin] = place
        result.sources.append(Result.Source(name: manifest.table.words[row.origin]))
      }
      let label = Int(PseudoLabelRule.label(probability).rawValue)
      result.sources[place].judged += 1
      if rule.isSure(probability) { result.sources[place].sure[label] += 1 }
      if isKept.contains(index) { result.sources[place].kept[label] += 1 }
    }
  }

  private func nothingKept(_ probabilities: [Float?], _ result: Result) -> String {
    let judged = probabilities.compactMap { $0 }
    let all = result.all
    guard let low = judged.min(), let high = judged.max() else {
      let first = result.failures.first.map { ": \($0.file): \($0.error)" } ?? ""
      return "none of the \(result.failures.count) pictures can be judged, the first\(first)"
    }
    let sure = all.sure[0] + all.sure[1]
    if sure == 0 {
      return "the teacher is sure of none of the \(all.judged) faces: its probabilities of fake are"
        + " \(low.fixed(3)) to \(high.fixed(3)). Lower --sure (\(rule.sure)), or train or calibrate"
        + " the teacher"
    }
    let label = all.sure[0] == 0 ? "fake" : "real"
    return "the teacher calls all \(sure) faces of which it is sure \(label), so as many of the"
      + " other kind cannot be kept. Lower --sure (\(rule.sure)), or give --no-balance"
  }

  /// Writes the kept rows. All columns keep their values except `label`, which is the teacher's
  /// answer, and `split`, which is left out: `train` uses these samples for training only.
  private func write(
    _ manifest: FaceManifest, _ rows: [Int], _ probabilities: [Float?], _ kept: [Int],
    _ result: Result
  ) throws(DatasetError) {
    let found = Dictionary(uniqueKeysWithValues: kept.map { (rows[$0], probabilities[$0] ?? 0.5) })
    let teacher = "\(result.teacher.name), SHA-256 \(result.teacher.sha256.prefix(16))"
    let columns = ManifestColumns([\.label, \.probability, \.teacher])
    try columns.write(input.manifests, to: output, dropping: [\.split]) { row, sample in
      guard let probability = found[row] else { return false }
      sample.label = PseudoLabelRule.label(probability)
      sample.probability = probability
      sample.teacher = teacher
      return true
    }
  }
}
