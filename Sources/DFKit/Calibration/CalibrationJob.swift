import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import Measures
import MediaIO

/// Calibrates the probabilities of one network or of a whole recipe on faces that it was not
/// trained on: the work of `dfkit calibrate`.
///
/// Within a source and a label, all videos weigh the same, however many faces they have. All
/// sources weigh the same, and real and fake samples weigh one half each (`GroupWeights`). The
/// calibrated probabilities therefore hold for footage that is fake as often as real and comes
/// equally from all sources.
package struct CalibrationJob: Sendable {
  /// The network or recipe to calibrate.
  package enum Subject: Sendable {
    /// A single network outside of a recipe, with the settings that its file may leave open.
    case network(WeightsSource, ClassifierOptions)
    /// A recipe, with the weights of its members.
    case recipe(Recipe, MemberFiles)
  }

  package let subject: Subject
  /// The samples to fit on.
  package var samples: SampleChoice
  /// Whether scale and offset are fitted (`platt`) or the scale alone (`temperature`).
  package var method = CalibrationFit.Method.platt
  /// Whether the targets are smoothed. Nil: only if a threshold separates real and fake samples
  /// without error.
  package var smoothsTargets: Bool?
  /// Whether each network's own calibration is fitted before that of their combined probability.
  /// True for a job for one network, false by default for a recipe.
  package var fitsMembers: Bool
  /// How face scores become one probability. Its calibration is the old one, used for the figures
  /// "before".
  package var combination: ScoreCombination
  /// The accuracy that the decided videos must reach on every source, 0 to 1. The range of
  /// probabilities to leave undecided is chosen for it.
  package var accuracy = 0.9
  /// Draws groups for the confidence intervals.
  package var bootstrap = GroupBootstrap()
  /// The folder in which the scores of a recipe's members are cached between calls; nil: no cache.
  /// Not used for one network.
  package var cache: URL?

  /// A job for one network.
  ///
  /// - Parameter options: Options that override those in the weights file.
  package init(
    weights: WeightsSource, options: ClassifierOptions = ClassifierOptions(), samples: SampleChoice
  ) {
    subject = .network(weights, options)
    self.samples = samples
    fitsMembers = true
    combination = ScoreCombination(clip: 0.01...0.99)
  }

  /// A job for a whole recipe.
  ///
  /// - Throws: `RecipeError` if the recipe's aggregation is invalid.
  package init(recipe: Recipe, weights: MemberFiles, samples: SampleChoice) throws(RecipeError) {
    subject = .recipe(recipe, weights)
    self.samples = samples
    fitsMembers = false
    combination = try recipe.combination()
  }

  /// Scores the faces and fits the calibration.
  ///
  /// - Throws: `WeightsError` and `ClassifierError` if a network cannot be used or gives no
  ///   probability, `DatasetError` if a manifest or a picture cannot be used, `CalibrationError` if
  ///   nothing can be fitted, and `CancellationError` in a cancelled task.
  package func run(progress: (JobProgress) -> Void = { _ in }) throws -> CalibrationReport {
    let chosen = try samples.read()
    var report: CalibrationReport
    switch subject {
    case .network(let weights, let options):
      let classifier = try ClassifierModel(try weights.read(), options)
      guard classifier.classCount <= 2 else {
        throw ClassifierError.noProbability(classes: classifier.classCount)
      }
      if classifier.input.difference != nil {
        try chosen.manifest.requireLater(for: weights.name)
      }
      let faces = try judge(chosen.manifest, with: classifier, progress: progress)
      report = try CalibrationReport(faces, self, before: classifier.calibration)
      report.settings = classifier.settings
    case .recipe(let recipe, let files):
      for entry in files.entries {
        let state = try entry.weights.read()
        let settings = try? ClassifierSettings.resolve(state, entry.member.network)
        guard settings?.input.difference != nil else { continue }
        try chosen.manifest.requireLater(for: entry.member.name)
      }
      let faces = try judge(recipe, files, progress: progress)
      report = try CalibrationReport(faces, self, before: nil)
    }
    report.dataDigest = chosen.digest
    report.part = chosen.words
    return report
  }

  private func judge(
    _ manifest: FaceManifest, with classifier: ClassifierModel, progress: (JobProgress) -> Void
  ) throws -> [ScoredFace] {
    var faces: [ScoredFace] = []
    faces.reserveCapacity(manifest.count)
    let samples = manifest.samples
    let groups = manifest.groups()
    for start in stride(from: 0, to: samples.count, by: 16) {
      try Task.checkCancellation()
      let batch = samples[start..<min(start + 16, samples.count)]
      progress(
        JobProgress(
          "judging \(start) of \(samples.count) faces",
          part: Double(start) / Double(samples.count)))
      var crops: [MotionCrop] = []
      for sample in batch {
        do {
          crops.append(try sample.crop(withLater: classifier.input.difference != nil))
        } catch let error as MediaError {
          throw DatasetError.picture(error)
        }
      }
      for (sample, logits) in zip(batch, classifier.logits(of: crops)) {
        guard let logit = classifier.logOdds(logits), logit.isFinite else {
          throw CalibrationError.notFinite(
            index: faces.count, logit: Double(logits.first ?? .nan), weight: 1)
        }
        faces.append(ScoredFace(sample, group: groups[faces.count], logits: [logit]))
      }
    }
    return faces
  }

  /// The faces with the scores of a recipe's members, which keep the calibrations in their weights
  /// files. Cached scores are reused.
  private func judge(
    _ recipe: Recipe, _ files: MemberFiles, progress: (JobProgress) -> Void
  ) throws -> [ScoredFace] {
    var job = EvaluationJob(recipe: recipe, weights: files, detectorWeights: nil)
    job.cache = cache
    let outcome = try job.judge(samples, progress: progress)
    if outcome.wasCancelled { throw CancellationError() }
    if let failure = outcome.failures.first {
      throw DatasetError.unusable(file: failure.file, problem: failure.error)
    }
    return outcome.files.flatMap { file in
      let faces = file.report.scores.faces
      return faces.enumerated().map { place, face in
        ScoredFace(
          path: faces.count == 1 ? file.name : "\(file.name)#\(place + 1)",
          label: file.label, video: file.name, group: file.group, source: file.source,
          logits: face.scores.map { Float(LogitCalibration.logOdds(Double($0))) })
      }
    }
  }
}

extension CalibrationJob {
  /// The names of the networks; for a single network, the name of its weights.
  var names: [String] {
    switch subject {
    case .network(let weights, _): [weights.name]
    case .recipe(_, let files): files.entries.map(\.member.name)
    }
  }

  /// The name of the weights or of the recipe.
  var title: String { subject.title }
}
