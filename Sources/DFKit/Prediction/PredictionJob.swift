import Foundation
import MediaIO

/// How a job over many files ended; it decides the command's exit code.
public struct JobOutcome: Sendable, Equatable {
  /// The number of files that failed with an error.
  public var failures = 0
  /// Whether the job was cancelled before the last file.
  public var wasCancelled = false

  /// The outcome of a job.
  public init(failures: Int = 0, wasCancelled: Bool = false) {
    self.failures = failures
    self.wasCancelled = wasCancelled
  }
}

/// Predicts files one after another. A file that fails does not stop the others.
///
/// ```swift
/// let job = try PredictionJob(predictor: VideoPredictor(recipe: Recipe.named("default")))
/// let outcome = job.run(MediaFiles.expand(["clips/"])) { report in
///   print(report.file, report.verdict.answer, report.error ?? "")
/// }
/// print("\(outcome.failures) files without an answer")
/// ```
public struct PredictionJob: Sendable {
  /// Makes the verdicts.
  public var predictor: VideoPredictor
  /// If set, called for each file instead of `predictor.predict`, for example to explain the
  /// verdict as well.
  public var analyze: (@Sendable (URL, (Double) -> Void) throws -> VideoReport)?

  /// Judges files with `predictor`.
  public init(predictor: VideoPredictor) {
    self.predictor = predictor
  }

  /// Predicts files in order and passes each report to `report` as soon as it is complete. Stops
  /// early in a cancelled task.
  ///
  /// - Throws: Only the errors of `report`. The error of a file is in its report.
  public func run(
    _ files: MediaFiles, progress: (JobProgress) -> Void = { _ in },
    report: (VideoReport) throws -> Void
  ) rethrows -> JobOutcome {
    var predictor = predictor
    // A single file needs each network once, so networks can be unloaded after use.
    if files.files.count == 1 { predictor.keepsNetworks = false }
    return try forEachFile(
      files, progress: progress,
      problem: { path, error in try report(VideoReport(file: path, .unreadable, error)) }
    ) { file, progress in
      switch predict(file, predictor, progress) {
      case .success(let result):
        try report(result)
        return result.error == nil ? .answered : .failed
      case .failure:
        return .cancelled
      }
    }
  }

  private func predict(
    _ file: URL, _ predictor: VideoPredictor, _ progress: (Double) -> Void
  ) -> Result<VideoReport, CancellationError> {
    do {
      return .success(
        try analyze?(file, progress) ?? predictor.predict(file, progress: progress))
    } catch let error as CancellationError {
      return .failure(error)
    } catch {
      let reason: Verdict.Reason = error is MediaError ? .unreadable : .failed
      return .success(VideoReport(file: file.relativePath, reason, error))
    }
  }
}

extension VideoReport {
  /// A report on a file that failed with an error.
  fileprivate init(file: String, _ reason: Verdict.Reason, _ error: any Error) {
    self.init(file: file, verdict: .undecided(reason))
    self.error = error.reason
  }
}

/// The result of processing one file.
enum FileOutcome {
  case answered
  case failed
  case cancelled
}

/// Processes files in order until all are done or the task is cancelled, and counts failures. Paths
/// without a file come first and are passed to `problem`.
func forEachFile(
  _ media: MediaFiles, progress: (JobProgress) -> Void,
  problem: (String, MediaError) throws -> Void,
  _ body: (URL, (Double) -> Void) throws -> FileOutcome
) rethrows -> JobOutcome {
  var outcome = JobOutcome()
  for error in media.problems {
    outcome.failures += 1
    try problem(error.path, error)
  }
  let files = media.files
  for (index, file) in files.enumerated() {
    if Task.isCancelled {
      outcome.wasCancelled = true
      break
    }
    var state = JobProgress(
      done: index, total: files.count, file: file.relativePath, fraction: 0)
    progress(state)
    let result = try withoutActuallyEscaping(progress) { progress in
      try body(file) { fraction in
        state.fraction = fraction
        progress(state)
      }
    }
    switch result {
    case .answered: break
    case .failed: outcome.failures += 1
    case .cancelled:
      outcome.wasCancelled = true
      return outcome
    }
  }
  return outcome
}

extension MediaError {
  /// The path that the error is about, as it was given.
  var path: String {
    switch self {
    case .nothingFound(let path, _): path
    case .unreadable(let file, _), .unsupported(let file, _), .damaged(let file, _),
      .truncated(let file, _), .tooLarge(let file, _, _, _), .noVideo(let file, _),
      .noFrames(let file, _), .unwritable(let file, _):
      file
    }
  }
}
