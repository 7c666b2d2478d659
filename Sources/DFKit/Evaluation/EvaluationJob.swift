import Classifiers
import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO
import Training

/// Judges files of known truth and measures how well: what `dfkit evaluate` does.
///
/// What networks say of faces is kept (`cache`); verdicts and figures are made of that anew each
/// time, so that another rule, another range or another figure needs no network.
package struct EvaluationJob: Sendable {
  /// A file that has no answer because of an error.
  package struct Failure: Sendable, Equatable {
    /// The file as it was given.
    package var file: String
    package var error: String
  }

  /// What was judged, and what could not be.
  package struct Outcome: Sendable {
    /// The files, in order.
    package var files: [EvaluatedFile] = []
    /// Those without an answer because of an error.
    package var failures: [Failure] = []
    /// Whether it was cancelled before the last file.
    package var wasCancelled = false
    /// Files whose scores were known already.
    package var known = 0
    /// Rows of the lists of labels that name no file; none for face crops.
    package var rowsWithoutFile: [LabelEntry] = []
    /// Files of the folders that are neither image nor video, by extension.
    package var passedOver: [String: Int] = [:]
    /// Why scores are not kept; nil where they are.
    package var cacheProblem: String?
  }

  /// The recipe: how is judged.
  package var recipe: Recipe
  /// The networks' weights.
  package var weights: MemberFiles
  /// The detector's weights; nil where only face crops are judged.
  package var detectorWeights: WeightsSource?
  /// How crops are changed before they are judged; as they are unless told otherwise.
  package var view = CropView.plain
  /// Whether rows of labels that name no file are an error, before anything is judged.
  package var isStrict = false
  /// The folder in which scores are kept from call to call; nil to keep none.
  package var cache: URL?

  package init(recipe: Recipe, weights: MemberFiles, detectorWeights: WeightsSource?) {
    self.recipe = recipe
    self.recipe.noteCalibration(of: weights)
    self.weights = weights
    self.detectorWeights = detectorWeights
  }

  /// The folder where scores are kept unless told otherwise: `$XDG_CACHE_HOME/dfkit/scores`, by
  /// default `~/.cache/dfkit/scores`. Nil where the environment names no home folder.
  package static func usualCache(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> URL? {
    UserFolder.cache("scores", environment)
  }

  /// Makes verdicts as the recipe says.
  ///
  /// - Throws: `RecipeError` where an aggregator has no meaning.
  package func maker() throws -> VerdictMaker {
    VerdictMaker(recipe, try recipe.combination())
  }

  /// Judges videos and images with labels. A bad file does not stop the others.
  ///
  /// - Throws: `WeightsError` and `ClassifierError` where the networks cannot be used;
  ///   `DatasetError` where rows of labels name no file and that is an error.
  package func judge(
    _ media: MediaFiles, _ labels: DatasetLabels, progress: (JobProgress) -> Void = { _ in }
  ) throws -> Outcome {
    var outcome = Outcome()
    var labels = labels
    outcome.failures = media.problems.map { Failure(file: $0.path, error: $0.description) }
    let labelled = labels.answers(for: media.files)
    outcome.failures += labelled.failures.map { Failure(file: $0.file, error: $0.text) }
    outcome.rowsWithoutFile = labels.entriesWithoutFile()
    outcome.passedOver = media.passedOver
    if isStrict, let text = outcome.rowsWithoutFile.textOfMissing {
      throw DatasetError.impossible(problem: text + DatasetLabels.strictAdvice)
    }
    let work = labelled.videos
    let groups = FaceManifest.groups(of: work.map(\.label))
    let networks = Networks(self)
    try run(
      work.map { Item(name: $0.file.relativePath, files: [$0.file]) }, into: &outcome, progress
    ) { index, progress in
      try networks.predictor().predict(work[index].file, progress: progress)
    } make: { index, report in
      EvaluatedFile(work[index].label, group: groups[index], report)
    }
    return outcome
  }

  /// Judges face crops: those of one video, or of one group where videos are not known, as one
  /// person's.
  ///
  /// - Throws: `DatasetError` where a manifest cannot be used; as for videos.
  package func judge(
    _ choice: SampleChoice, progress: (JobProgress) -> Void = { _ in }
  ) throws -> Outcome {
    var outcome = Outcome()
    let videos = try VideoSamples.all(of: choice.read().manifest)
    let networks = Networks(self)
    try run(
      videos.map { Item(name: $0.name, files: $0.samples.map(\.file)) }, into: &outcome, progress
    ) { index, _ in
      try networks.report(on: videos[index], view)
    } make: { index, report in
      let video = videos[index]
      return EvaluatedFile(
        name: video.name, label: video.label, group: video.group, source: video.source,
        report: report)
    }
    return outcome
  }

  /// What is judged as one.
  private struct Item {
    var name: String
    var files: [URL]
  }

  private func run(
    _ items: [Item], into outcome: inout Outcome, _ progress: (JobProgress) -> Void,
    judge: (Int, (Double) -> Void) throws -> VideoReport,
    make: (Int, VideoReport) -> EvaluatedFile
  ) throws {
    let maker = try maker()
    var scores = try cache.map { ScoreCache(folder: $0, settings: try settings()) } ?? ScoreCache()
    for (index, item) in items.enumerated() {
      if Task.isCancelled {
        outcome.wasCancelled = true
        break
      }
      var state = JobProgress(done: index, total: items.count, file: item.name, fraction: 0)
      progress(state)
      let key = ScoreCache.key(item.files)
      var report: VideoReport
      if let known = key.flatMap({ scores.report($0, file: item.name) }) {
        report = known
        outcome.known += 1
      } else {
        do {
          report = try withoutActuallyEscaping(progress) { progress in
            try judge(index) { fraction in
              state.fraction = fraction
              progress(state)
            }
          }
        } catch is CancellationError {
          outcome.wasCancelled = true
          break
        } catch let error where error is MediaError || error is EnsembleError {
          outcome.failures.append(Failure(file: item.name, error: error.reason))
          continue
        }
        if let key { scores.add(report, key: key) }
      }
      maker.decide(&report)
      outcome.files.append(make(index, report))
    }
    outcome.cacheProblem = scores.problem
  }

  /// All that scores depend on.
  private func settings() throws -> String {
    var looking = recipe
    looking.aggregation = Recipe.Aggregation()
    looking.verdict = Recipe.Decision()
    looking.people = Recipe.People()
    looking.training = nil
    for index in looking.members.indices { looking.members[index].weight = nil }
    var lines = [looking.yaml, "view \(view.name)"]
    if let detectorWeights { lines.append(try detectorWeights.digest()) }
    for entry in weights.entries {
      lines.append("\(entry.member.name) \(try entry.weights.digest())")
    }
    return lines.joined(separator: "\n")
  }
}

/// The networks of a job, loaded when the first file needs them: where all scores are known, none
/// is.
private final class Networks {
  private let job: EvaluationJob
  private var loaded: VideoPredictor?
  private var ensemble: Ensemble?

  init(_ job: EvaluationJob) {
    self.job = job
  }

  func predictor() throws -> VideoPredictor {
    if let loaded { return loaded }
    guard let weights = job.detectorWeights else {
      preconditionFailure("EvaluationJob: videos need a detector's weights")
    }
    var predictor = try VideoPredictor(
      recipe: job.recipe, weights: job.weights, detectorWeights: weights)
    predictor.view = job.view
    loaded = predictor
    return predictor
  }

  /// What the members say of a video's crops, some at a time where they judge each by itself.
  func report(on video: VideoSamples, _ view: CropView) throws -> VideoReport {
    let ensemble = try ensemble ?? job.recipe.ensemble(of: job.weights.members())
    self.ensemble = ensemble
    let judgesEach = ensemble.members.allSatisfy { $0.scorer is any FrameClassifier }
    let step = judgesEach ? 64 : video.samples.count
    var table = ScoreTable(members: ensemble.members.map { .init($0.name) })
    for start in stride(from: 0, to: video.samples.count, by: step) {
      try Task.checkCancellation()
      let places = start..<min(start + step, video.samples.count)
      let crops = try video.samples[places].map { view(try ImageFile.read($0.file)) }
      for (place, crop) in zip(places, crops) { table.faces.append(video.face(place, crop)) }
      for member in ensemble.members {
        for (place, score) in zip(places, try member.scoreOfEach(crops)) {
          table.add(score, nil, to: place)
        }
      }
    }
    return VideoReport(video, table)
  }
}

extension MemberFiles {
  /// The networks.
  ///
  /// - Throws: `WeightsError` and `ClassifierError` where they cannot be used.
  public func members() throws -> [Ensemble.Member] {
    try entries.map { entry in
      Ensemble.Member(
        entry.member.name, try ClassifierModel(try entry.weights.read(), entry.member.network))
    }
  }
}
