import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO
import Synchronization
import Training

/// Makes a dataset of face crops out of videos: a folder with the crops and a manifest.
///
/// The folder is the same, byte for byte, however many threads work and however often the work was
/// ended, with SIGKILL too, and begun again. Each video's crops are made under temporary names and
/// then moved to their places; then the video is noted in a journal, which becomes the manifest at
/// the end. What is in neither is done again.
package struct ExtractionJob: Sendable {
  /// Which faces, and how.
  package var options: ExtractionOptions
  /// Finds the faces.
  package var detector: any FaceDetector
  /// The SHA-256 of the detector's weights: a folder is gone on with by the same detector only.
  package var detectorDigest: String
  /// What videos show.
  package var labels: DatasetLabels
  /// The dataset's folder.
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

  /// Looks up the labels of videos and what the folder already has, and holds the folder for as
  /// long as the plan lives.
  ///
  /// - Throws: `ExtractionError`, `DatasetError` where the folder cannot be used.
  package func plan(_ inputs: MediaFiles) throws -> ExtractionPlan {
    if options.isBalanced {
      guard case .spread = options.frames else {
        throw ExtractionError.impossible(
          problem: "balancing takes more frames of some videos; it needs a number of frames")
      }
    }
    return try ExtractionPlan(
      inputs, labels, options, detectorDigest: detectorDigest, folder: folder)
  }

  /// Extracts what the plan leaves to do. Stops early in a cancelled task, with the manifest
  /// written for what is done.
  ///
  /// - Parameter failed: called with each video that cannot be extracted, as soon as that is known.
  /// - Throws: `ExtractionError` where the folder cannot be written; what is done then is kept
  ///   there.
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
    let inHand = VideosInHand()
    let queue = start(plan, inHand)
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
          // Nothing more can be written; the threads are waited for.
          stopping = stopping ?? error
          queue.stop()
        }
      }
      let (first, part) = inHand.sum
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

  /// Takes down what became of a video.
  ///
  /// - Returns: false for a video that was given up because the work is stopped.
  /// - Throws: `ExtractionError` where nothing more can be written.
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
      // Not every error is of a file.
      let text = error.reason.contains(name) ? error.reason : "\(name): \(error.reason)"
      summary.failures.append(.init(file: name, text: text))
      failed(.init(file: name, text: text))
    }
    return true
  }

  /// Starts threads, each with videos of its own; where there are more threads than videos, several
  /// work on each.
  private func start(
    _ plan: ExtractionPlan, _ inHand: VideosInHand
  ) -> WorkQueue<Result<VideoExtractor.Result, any Error>> {
    let (tasks, folder, balance) = (plan.tasks, plan.folder, plan.balance)
    let threads = max(1, min(Parallel.threadCount, tasks.count))
    let decodingThreads = min(16, max(1, Parallel.threadCount / threads))
    let keptBytes = max(1 << 27, (1 << 30) / threads)
    var settings = WorkQueue<Result<VideoExtractor.Result, any Error>>.Options(
      "extractor", threads: threads)
    // A video that takes long does not keep others out of the journal.
    settings.isOrdered = false
    settings.keepsToThreads = threads > 1
    settings.stackSize = 8 << 20
    let queue = WorkQueue<Result<VideoExtractor.Result, any Error>>(tasks.count, settings)
    queue.start { [options, detector] number in
      let extractor = VideoExtractor(
        options, detector, folder, name: "\(number)", decodingThreads: decodingThreads,
        keptBytes: keptBytes, isCancelled: { queue.isStopped })
      return { place in
        inHand.set(place, 0)
        defer { inHand.set(place, nil) }
        let task = tasks[place]
        return Result {
          try extractor.extract(
            task.file, task.record, frames: balance?[task.record.label.label] ?? 0
          ) { inHand.set(place, $0) }
        }
      }
    }
    return queue
  }
}

/// The videos that threads are at work on, and the part of each that is done.
private final class VideosInHand: Sendable {
  private let parts = Mutex<[Int: Double]>([:])

  /// - Parameter part: nil where the video is done.
  func set(_ place: Int, _ part: Double?) { parts.withLock { $0[place] = part } }

  /// The first of the videos, and the sum of the parts.
  var sum: (first: Int?, part: Double) {
    parts.withLock { ($0.keys.min(), $0.values.reduce(0, +)) }
  }
}
