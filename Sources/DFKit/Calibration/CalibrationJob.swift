import Classifiers
import DeepfakeCore
import Foundation
import MediaIO
import Training

/// Makes probabilities honest on faces that were not learned from, of one network or of a whole
/// recipe: what `dfkit calibrate` does.
///
/// Within a source and a label, videos (or what stands in for them) count equally however many
/// faces they have; sources count equally, and real and fake ones as half each (`GroupWeights`):
/// the probabilities are those of footage that is as often fake as real, from any of the sources.
package struct CalibrationJob: Sendable {
  /// One network, or an ensemble as a recipe puts it together.
  package enum Subject: Sendable {
    /// One network.
    case network(WeightsSource, ClassifierOptions)
    /// A recipe with the weights of its members.
    case recipe(Recipe, MemberFiles)
  }

  /// The network or recipe whose probabilities are made honest.
  package let subject: Subject
  /// What is judged.
  package var samples: SampleChoice
  /// Whether scale and offset are fitted, or the scale alone.
  package var method = CalibrationFit.Method.platt
  /// Whether targets are smoothed; nil for where the samples can be told apart without error.
  package var smoothsTargets: Bool?
  /// Whether each network's own calibration is fitted too, before that of what they say together;
  /// always so for one network.
  package var fitsMembers: Bool
  /// How scores become one, with the calibration of before.
  package var combination: ScoreCombination
  /// What part of the answers on videos is to be right outside of the range that is suggested as
  /// undecided, on every source.
  package var accuracy = 0.9
  /// What intervals are made with.
  package var bootstrap = GroupBootstrap()
  /// The folder in which the scores of a recipe's members are kept from call to call; nil to keep
  /// none.
  package var cache: URL?

  /// A job for one network.
  ///
  /// - Parameter options: what the caller knows better than the weights' file.
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
  /// - Throws: `RecipeError` where its aggregation has no meaning.
  package init(recipe: Recipe, weights: MemberFiles, samples: SampleChoice) throws(RecipeError) {
    subject = .recipe(recipe, weights)
    self.samples = samples
    fitsMembers = false
    combination = try recipe.combination()
  }

  /// Judges the faces and fits.
  ///
  /// - Throws: `WeightsError`, `ClassifierError`, `DatasetError`, `CalibrationError`,
  ///   `CancellationError`.
  package func run(progress: (JobProgress) -> Void = { _ in }) throws -> CalibrationReport {
    let chosen = try samples.read()
    var report: CalibrationReport
    switch subject {
    case .network(let weights, let options):
      let classifier = try ClassifierModel(try weights.read(), options)
      guard classifier.classCount <= 2 else {
        throw ClassifierError.noProbability(classes: classifier.classCount)
      }
      let faces = try judge(chosen.manifest, with: classifier, progress: progress)
      report = try CalibrationReport(faces, self, before: classifier.calibration)
      report.settings = classifier.settings
    case .recipe(let recipe, let files):
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
      var crops: [Image] = []
      for sample in batch {
        do throws(MediaError) {
          crops.append(try ImageFile.read(sample.file))
        } catch {
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

  /// What a recipe's members say, calibrated as their files have it; known scores are taken from
  /// the cache.
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
  /// The networks' names.
  var names: [String] {
    switch subject {
    case .network(let weights, _): [weights.name]
    case .recipe(_, let files): files.entries.map(\.member.name)
    }
  }

  /// What is calibrated, in words.
  var title: String {
    switch subject {
    case .network(let weights, _): weights.name
    case .recipe(let recipe, _): recipe.name
    }
  }
}
