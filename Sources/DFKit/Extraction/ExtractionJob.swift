import DeepfakeCore
import FaceData
import FaceDetect
import Foundation
import MediaIO
import Synchronization

/// Extracts face crops from videos into a dataset: a folder with the crops and a manifest.
///
/// The folder's content is the same, byte for byte, for any number of threads, and also if the work
/// was interrupted (even by SIGKILL) and continued. The crops of a video are written under
/// temporary names and then renamed. After that, the video is added to a journal, from which the
/// manifest is written at the end. Videos that are in neither are extracted again.
package struct ExtractionJob: Sendable {
  /// The frames, the people and the form of the crops.
  package var options: ExtractionOptions
  package var detector: any FaceDetector
  /// The SHA-256 of the detector's weights. An extraction can be continued only with the same
  /// detector.
  package var detectorDigest: String
  /// The labels of the videos.
  package var labels: DatasetLabels
  /// The folder of the dataset.
  package var folder: URL

  package init(
    _ options: ExtractionOptions, detector: any FaceDetector, detectorDigest: String,
    labels: DatasetLabels, folder: URL
  ) {
    self.options = options
    self.detector = detector
    self.detectorDigest = detectorDigest
    self.labels = labels
    self.folder = folder
  }

  /// Finds the label of each video and the videos that the folder already has. The folder stays
  /// locked while the plan exists.
  ///
  /// - Throws: `ExtractionError` if the folder cannot be used or the options contradict each other,
  ///   `DatasetError` if its files or the labels cannot be used.
  package func plan(_ inputs: MediaFiles) throws -> ExtractionPlan {
    if options.isBalanced {
      guard case .spread = options.frames else {
        throw ExtractionError.impossible(
          problem: "balancing takes more frames from some videos; it needs a number of frames")
      }
    }
    if let difference = options.difference {
      let times = NetworkSettings.Difference.times
      guard times.contains(difference) else {
        throw ExtractionError.impossible(
          problem: "the difference is \(difference) seconds; it must be \(times.lowerBound) to"
            + " \(times.upperBound)")
      }
      guard case .spread = options.frames else {
        throw ExtractionError.impossible(
          problem: "later crops need a number of frames; give a large one for all frames")
      }
    }
    return try ExtractionPlan(
      inputs, labels, options, detectorDigest: detectorDigest, folder: folder)
  }

  /// Extracts the videos that the plan leaves to do. In a cancelled task, stops early and writes
  /// the manifest for the finished videos.
  ///
  /// - Parameter failed: Called for each video that cannot be extracted, as soon as the error
  ///   occurs.
  /// - Throws: `ExtractionError` if the folder cannot be written. Finished videos stay in it.
  package func run(
    _ plan: ExtractionPlan, progress: (JobProgress) -> Void = { _ in },
    failed: (ExtractionSummary.Remark) -> Void = { _ in }
  ) throws -> ExtractionSummary {
    let start = ContinuousClock.now
    var summary = ExtractionSummary(folder: folder.relativePath)
    for failure in plan.failures {
      summary.failures.append(.init(file: failure.file, text: failure.error))
      failed(.init(file: failure.file, text: failure.error))
    }
    var state = plan.state
    if !state.records.isEmpty {
      let unfinished = state.records.filter { $0.state != .done }.map(\.slug)
      plan.folder.removeCrops(ofSlugs: Set(unfinished))
      try state.writeVideos(plan.folder)
      try plan.folder.prepareWork()
      defer { plan.folder.removeWork() }
      try extract(plan, &state, &summary, progress, failed)
      try state.write(plan.folder)
    }
    summary.balance = plan.balance
    summary.rowsWithoutFile = plan.rowsWithoutFile
    summary.passedOver = plan.passedOver
    summary.skipped = plan.doneBefore
    summary.count(state)
    summary.seconds = (ContinuousClock.now - start).seconds
    return summary
  }

  private func extract(
    _ plan: ExtractionPlan, _ state: inout ExtractionState, _ summary: inout ExtractionSummary,
    _ progress: (JobProgress) -> Void, _ failed: (ExtractionSummary.Remark) -> Void
  ) throws {
    let tasks = plan.tasks
    var journal = try ExtractionJournal(plan.folder.journal, length: state.journalLength)
    let inProgress = VideosInProgress()
    let queue = start(plan, inProgress)
    var done = 0
    var stopping: (any Error)?
    working: while true {
      let step = queue.next(within: 0.1)
      if Task.isCancelled { queue.stop() }
      switch step {
      case .over: break working
      case .notYet: break
      case .outcome(let place, let result):
        do {
          if try take(result, of: tasks[place], &journal, &state, &summary, failed) { done += 1 }
        } catch {
          // Nothing more can be written. Stop, but wait for the threads.
          stopping = stopping ?? error
          queue.stop()
        }
      }
      let (first, part) = inProgress.sum
      progress(
        JobProgress(
          done: done, total: tasks.count, file: first.map { tasks[$0].file.relativePath } ?? "",
          fraction: part))
    }
    if let stopping { throw stopping }
    summary.wasCancelled = Task.isCancelled && done < tasks.count
    summary.failures.sort { $0.file < $1.file }
    summary.warnings.sort { $0.file < $1.file }
  }

  /// Records the result of a video in the journal and the summary.
  ///
  /// - Returns: False if the video was not finished because the job stops.
  /// - Throws: `ExtractionError` if nothing more can be written.
  private func take(
    _ result: Result<VideoExtractor.Result, any Error>, of task: ExtractionPlan.Waiting,
    _ journal: inout ExtractionJournal, _ state: inout ExtractionState,
    _ summary: inout ExtractionSummary, _ failed: (ExtractionSummary.Remark) -> Void
  ) throws -> Bool {
    let name = task.file.relativePath
    switch result {
    case .success(let result):
      state.finish(result.record, rows: try journal.append(result.record, rows: result.rows))
      summary.extracted += 1
      if !result.record.note.isEmpty {
        summary.warnings.append(.init(file: name, text: result.record.note))
      }
    case .failure(let error as ExtractionError): throw error
    case .failure(is CancellationError): return false
    case .failure(let error):
      var record = task.record
      record.state = .failed
      record.note = error.reason
      state.finish(record, rows: try journal.append(record, rows: ""))
      // Some errors do not name the file.
      let text = error.reason.contains(name) ? error.reason : "\(name): \(error.reason)"
      summary.failures.append(.init(file: name, text: text))
      failed(.init(file: name, text: text))
    }
    return true
  }

  /// Starts threads that extract one video each. If there are more threads than videos, the others
  /// help to decode.
  private func start(
    _ plan: ExtractionPlan, _ inProgress: VideosInProgress
  ) -> WorkQueue<Result<VideoExtractor.Result, any Error>> {
    let (tasks, folder, balance) = (plan.tasks, plan.folder, plan.balance)
    let threads = max(1, min(Parallel.threadCount, tasks.count))
    let decodingThreads = min(16, max(1, Parallel.threadCount / threads))
    let keptBytes = max(1 << 27, (1 << 30) / threads)
    var settings = WorkQueue<Result<VideoExtractor.Result, any Error>>.Options(
      "extractor", threads: threads)
    // Results come in any order, so that a long video does not delay others.
    settings.isOrdered = false
    settings.keepsToThreads = threads > 1
    settings.stackSize = 8 << 20
    let queue = WorkQueue<Result<VideoExtractor.Result, any Error>>(tasks.count, settings)
    queue.start { [options, detector] number in
      let extractor = VideoExtractor(
        options, detector, folder, name: "\(number)", decodingThreads: decodingThreads,
        keptBytes: keptBytes, isCancelled: { queue.isStopped })
      return { place in
        inProgress.set(place, 0)
        defer { inProgress.set(place, nil) }
        let task = tasks[place]
        return Result {
          try extractor.extract(
            task.file, task.record, frames: balance?[task.record.label.label] ?? 0
          ) { inProgress.set(place, $0) }
        }
      }
    }
    return queue
  }
}

/// The videos that are being extracted, with the finished fraction of each.
private final class VideosInProgress: Sendable {
  private let parts = Mutex<[Int: Double]>([:])

  /// - Parameter part: The finished fraction, 0 to 1; nil when the video is finished.
  func set(_ place: Int, _ part: Double?) { parts.withLock { $0[place] = part } }

  /// The first video in work, and the sum of the finished fractions of all videos in work.
  var sum: (first: Int?, part: Double) {
    parts.withLock { ($0.keys.min(), $0.values.reduce(0, +)) }
  }
}
