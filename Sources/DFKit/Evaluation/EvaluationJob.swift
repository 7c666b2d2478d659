import Classifiers
import DeepfakeCore
import FaceData
import FaceDetect
import Foundation
import MediaIO

/// Scores files with known labels and makes verdicts: the work of `dfkit evaluate`.
///
/// The networks' scores are cached (`cache`). Verdicts and figures are computed from them in each
/// call, so another rule, range or figure needs no run of the networks.
package struct EvaluationJob: Sendable {
  /// A file that could not be judged because of an error.
  package struct Failure: Sendable, Equatable {
    /// The path of the file.
    package var file: String
    package var error: String
  }

  /// The judged files and the failures.
  package struct Outcome: Sendable {
    /// The judged files, in the order of the input.
    package var files: [EvaluatedFile] = []
    /// Files that could not be judged because of an error.
    package var failures: [Failure] = []
    /// Whether the job was cancelled before the last file.
    package var wasCancelled = false
    /// The number of files whose scores were taken from the cache.
    package var known = 0
    /// Rows of the label lists for which there is no file; always empty for face crops.
    package var rowsWithoutFile: [LabelEntry] = []
    /// The number of files in the folders that are neither image nor video, by extension.
    package var passedOver: [String: Int] = [:]
    /// Why scores could not be cached; nil if the cache works or none is used.
    package var cacheProblem: String?
  }

  /// The recipe to evaluate.
  package var recipe: Recipe
  /// The weights of the recipe's members.
  package var weights: MemberFiles
  /// The detector's weights; nil if only face crops are judged.
  package var detectorWeights: WeightsSource?
  /// How crops are transformed before they are scored; unchanged by default.
  package var view = CropView.plain
  /// Whether label rows without a file are an error, thrown before any file is judged.
  package var isStrict = false
  /// The folder in which scores are cached between calls; nil: no cache.
  package var cache: URL?

  package init(recipe: Recipe, weights: MemberFiles, detectorWeights: WeightsSource?) {
    self.recipe = recipe
    self.recipe.noteCalibration(of: weights)
    self.weights = weights
    self.detectorWeights = detectorWeights
  }

  /// The default cache folder for scores: `$XDG_CACHE_HOME/dfkit/scores`, by default
  /// `~/.cache/dfkit/scores`. Nil if the environment names no home folder.
  package static func defaultCache(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> URL? {
    UserFolder.cache("scores", environment)
  }

  /// Makes verdicts by the recipe's rules.
  ///
  /// - Throws: `RecipeError` if the recipe's aggregation is invalid.
  package func maker() throws -> VerdictMaker {
    VerdictMaker(recipe, try recipe.combination())
  }

  /// Judges videos and images with labels. A file that cannot be read is a failure and does not
  /// stop the others. In a cancelled task, returns the files judged so far.
  ///
  /// - Throws: `WeightsError` and `ClassifierError` if the networks cannot be used; `DatasetError`
  ///   if `isStrict` is set and a label row has no file.
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

  /// Judges face crops. The crops of one video are judged together as one person; if the video is
  /// unknown, the crops of one group are.
  ///
  /// - Throws: `DatasetError` if a manifest cannot be used; `WeightsError` and `ClassifierError` if
  ///   the networks cannot be used.
  package func judge(
    _ choice: SampleChoice, progress: (JobProgress) -> Void = { _ in }
  ) throws -> Outcome {
    var outcome = Outcome()
    let videos = try VideoSamples.all(of: choice.read().manifest)
    let networks = Networks(self)
    try run(
      videos.map { Item(name: $0.name, files: $0.samples.flatMap(\.pictures)) }, into: &outcome,
      progress
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

  /// Files that are judged together.
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
        } catch let error
          where error is MediaError || error is EnsembleError || error is DatasetError
        {
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

  /// Everything that the scores depend on, as text for the cache's key. Rules for verdicts are left
  /// out.
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

/// Loads the networks of a job when the first file needs them. If all scores are cached, none is
/// loaded.
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

  /// The members' scores of a video's crops. If all members score single crops, reads 64 at a time;
  /// otherwise all crops at once.
  func report(on video: VideoSamples, _ view: CropView) throws -> VideoReport {
    let ensemble = try ensemble ?? job.recipe.ensemble(of: job.weights.members())
    self.ensemble = ensemble
    let judgesEach = ensemble.members.allSatisfy { $0.scorer is any FrameClassifier }
    let step = judgesEach ? 64 : video.samples.count
    let withLater = try ensemble.members.difference() != nil
    var withoutLater = 0
    var table = ScoreTable(members: ensemble.members.map { .init($0.name) })
    for start in stride(from: 0, to: video.samples.count, by: step) {
      try Task.checkCancellation()
      let places = start..<min(start + step, video.samples.count)
      let crops = try video.samples[places].map { sample in
        try sample.crop(withLater: withLater).map { view($0) }
      }
      withoutLater += crops.count { $0.later == nil }
      for (place, crop) in zip(places, crops) { table.faces.append(video.face(place, crop.image)) }
      for member in ensemble.members {
        for (place, score) in zip(places, try member.scoreOfEach(crops)) {
          table.add(score, nil, to: place)
        }
      }
    }
    var report = VideoReport(video, table)
    if withLater {
      report.warnings = MotionCrop.warnings(without: withoutLater, of: video.samples.count)
    }
    return report
  }
}

extension FaceSample {
  /// The files that scores of the crop depend on.
  fileprivate var pictures: [URL] { [file] + [later].compactMap { $0 } }
}

extension MemberFiles {
  /// Reads the weights and makes the networks, in the order of the recipe.
  ///
  /// - Throws: `WeightsError` and `ClassifierError` if the networks cannot be used.
  public func members() throws -> [Ensemble.Member] {
    let members = try entries.map { entry in
      Ensemble.Member(
        entry.member.name, try entry.weights.read().scorer(entry.member.network))
    }
    _ = try members.difference()
    return members
  }
}
