import Classifiers
import DeepfakeCore
import FaceData
import FaceDetect
import Foundation
import MediaIO

extension CalibrationJob.Subject {
  /// The name of the weights or of the recipe.
  var title: String {
    switch self {
    case .network(let weights, _): weights.name
    case .recipe(let recipe, _): recipe.name
    }
  }

  /// The SHA-256 of the weights. For a recipe with several members, the SHA-256 of a list with
  /// their names and hashes, in the recipe's order.
  ///
  /// - Throws: `WeightsError` if a file cannot be read.
  func digest() throws(WeightsError) -> String {
    switch self {
    case .network(let weights, _): return try weights.digest()
    case .recipe(_, let files):
      if files.entries.count == 1 { return try files.entries[0].weights.digest() }
      var lines = ""
      for entry in files.entries { lines += "\(entry.member.name) \(try entry.weights.digest())\n" }
      return SHA256.digits(of: Data(lines.utf8))
    }
  }
}

extension PseudoLabelJob {
  /// The teacher's networks, and how they judge one face.
  struct Judge {
    let job: ClassificationJob
    /// Whether the probabilities are calibrated; nil: unknown.
    let isCalibrated: Bool?
  }

  /// Loads the teacher.
  func judge() throws -> Judge {
    switch teacher {
    case .network(let weights, let options):
      let network = try weights.read().classifier(options)
      guard network.classCount <= 2 else {
        throw ClassifierError.noProbability(classes: network.classCount)
      }
      return Judge(
        job: ClassificationJob(classifier: network, name: weights.name),
        isCalibrated: network.calibration != nil)
    case .recipe(var recipe, let files):
      recipe.noteCalibration(of: files)
      return Judge(
        job: try ClassificationJob(recipe: recipe, weights: files),
        isCalibrated: recipe.verdict.isCalibrated)
    }
  }

  /// The cached scores of the teacher's networks.
  func cacheFile() throws -> ScoreCache {
    guard let cache else { return ScoreCache() }
    var lines = ["single crops"]
    switch teacher {
    case .network(let weights, let options):
      lines.append("\(try weights.digest()) \(options)")
    case .recipe(_, let files):
      for entry in files.entries {
        lines.append("\(try entry.weights.digest()) \(entry.member.network)")
      }
    }
    return ScoreCache(folder: cache, settings: lines.joined(separator: "\n"))
  }
}

extension PseudoLabelJob.Judge {
  private static let batch = 32

  /// The probability of each sample of a manifest; nil for those that are not in `wanted` or cannot
  /// be judged, which are added to the failures.
  func probabilities(
    _ wanted: [Int], of manifest: FaceManifest, cache: ScoreCache,
    into result: inout PseudoLabelJob.Result, _ progress: (JobProgress) -> Void
  ) throws -> [Float?] {
    var cache = cache
    var probabilities = [Float?](repeating: nil, count: manifest.count)
    var waiting: [(index: Int, key: String?)] = []
    let files = manifest.samples
    for index in wanted {
      let key = ScoreCache.key([files[index].file])
      if let known = key.flatMap({ scores(in: cache, $0) }) {
        probabilities[index] = job.probability(of: known)
      } else {
        waiting.append((index, key))
      }
    }
    var state = JobProgress("", part: 0)
    state.before = Double(wanted.count - waiting.count) / Double(wanted.count)
    for start in stride(from: 0, to: waiting.count, by: Self.batch) {
      try Task.checkCancellation()
      let done = wanted.count - waiting.count + start
      state.file = "judging \(done) of \(wanted.count) faces"
      state.fraction = Double(done) / Double(wanted.count)
      progress(state)
      let batch = waiting[start..<min(start + Self.batch, waiting.count)]
      for (face, report) in zip(batch, job.score(batch.map { files[$0.index].file })) {
        let scores = report.members.compactMap(\.probability)
        guard report.error == nil, scores.count == job.members.count else {
          result.failures.append(
            EvaluationJob.Failure(
              file: files[face.index].path, error: report.error ?? "has no probability"))
          continue
        }
        probabilities[face.index] = job.probability(of: scores)
        if let key = face.key { cache.add(record(scores, report.file), key: key) }
      }
    }
    result.cacheProblem = cache.problem
    return probabilities
  }

  private func scores(in cache: ScoreCache, _ key: String) -> [Float]? {
    guard let scores = cache.report(key, file: "")?.scores.faces.first?.scores,
      scores.count == job.members.count
    else { return nil }
    return scores
  }

  /// The scores of one face in the form in which they are cached.
  private func record(_ scores: [Float], _ file: String) -> VideoReport {
    var report = VideoReport(file: file, verdict: .undecided(.noFaces))
    (report.frames, report.facesFound) = (1, 1)
    report.scores = ScoreTable(
      members: job.members.map { .init($0.name) },
      faces: [
        .init(frame: 0, time: 0, person: 1, box: Box(x1: 0, y1: 0, x2: 1, y2: 1), scores: scores)
      ])
    return report
  }
}
