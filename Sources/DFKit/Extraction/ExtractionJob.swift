import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO
import Training

/// Makes a dataset of face crops out of videos: a folder with the crops and a manifest.
///
/// The folder is the same, byte for byte, however many threads work and however often the work was ended, with
/// SIGKILL too, and begun again. Each video's crops are made under temporary names and then moved to their
/// places; then the video is noted in a journal, which becomes the manifest at the end. What is in neither
/// is done again.
public struct ExtractionJob: Sendable {
  /// Which faces, and how.
  public var options: ExtractionOptions
  /// Finds the faces.
  public var detector: any FaceDetector
  /// The SHA-256 of the detector's weights: a folder is gone on with by the same detector only.
  public var detectorDigest: String
  /// What videos show.
  public var labels: DatasetLabels
  /// The dataset's folder.
  public var folder: URL

  /// A job.
  public init(
    _ options: ExtractionOptions, detector: any FaceDetector, detectorDigest: String,
    labels: DatasetLabels, folder: URL
  ) {
    self.options = options
    self.detector = detector
    self.detectorDigest = detectorDigest
    self.labels = labels
    self.folder = folder
  }

  /// Looks up the labels of videos and what the folder already has, and holds the folder for as long as the
  /// plan lives.
  ///
  /// - Throws: `ExtractionError`, `DatasetError` where the folder cannot be used.
  public func plan(_ inputs: MediaFiles) throws -> ExtractionPlan {
    if options.isBalanced {
      guard case .spread = options.frames else {
        throw ExtractionError.impossible(
          problem: "balancing takes more frames of some videos; it needs a number of frames")
      }
    }
    return try ExtractionPlan(
      inputs, labels, options, detectorDigest: detectorDigest, folder: folder)
  }

  /// Extracts what the plan leaves to do. Stops early in a cancelled task, with the manifest written for
  /// what is done.
  ///
  /// - Parameter failed: called with each video that cannot be extracted, as soon as that is known.
  /// - Throws: `ExtractionError` where the folder cannot be written; what is done then is kept there.
  public func run(
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
    let queue = start(plan)
    var done = 0
    var stopping: (any Error)?
    while let results = queue.results() {
      if Task.isCancelled { queue.stop() }
      for finished in results {
        let task = tasks[finished.place]
        do {
          switch finished.result {
          case .success(let result):
            let rows = try journal.append(result.record, rows: result.rows)
            state.finish(result.record, rows: rows)
            summary.extracted += 1
            if !result.record.note.isEmpty {
              summary.warnings.append(
                .init(file: task.file.relativePath, text: result.record.note))
            }
          case .failure(let error as ExtractionError): throw error
          case .failure(is CancellationError): continue
          case .failure(let error):
            var record = task.record
            record.state = .failed
            record.note = error.reason
            state.finish(record, rows: try journal.append(record, rows: ""))
            // Not every error is of a file.
            let name = task.file.relativePath
            let text = error.reason.contains(name) ? error.reason : "\(name): \(error.reason)"
            summary.failures.append(.init(file: name, text: text))
            failed(.init(file: name, text: text))
          }
          done += 1
        } catch {
          // Nothing more can be written; the threads are waited for.
          stopping = stopping ?? error
          queue.stop()
        }
      }
      let hand = queue.inHand
      progress(
        JobProgress(
          done: done, total: tasks.count,
          file: hand.place.map { tasks[$0].file.relativePath } ?? "", fraction: hand.part))
    }
    if let stopping { throw stopping }
    summary.wasCancelled = Task.isCancelled && done < tasks.count
    summary.failures.sort { $0.file < $1.file }
    summary.warnings.sort { $0.file < $1.file }
  }

  /// Starts threads, each with videos of its own; where there are more threads than videos, several work on
  /// each.
  private func start(_ plan: ExtractionPlan) -> ExtractionQueue {
    let (tasks, folder, balance) = (plan.tasks, plan.folder, plan.balance)
    let threads = max(1, min(Parallel.threadCount, tasks.count))
    let decodingThreads = min(16, max(1, Parallel.threadCount / threads))
    let keptBytes = max(1 << 27, (1 << 30) / threads)
    let queue = ExtractionQueue(count: tasks.count, threads: threads)
    for number in 0..<threads {
      let thread = Thread { [options, detector] in
        if threads > 1 { Parallel.keepToThisThread() }
        let extractor = VideoExtractor(
          options, detector, folder, name: "\(number)", decodingThreads: decodingThreads,
          keptBytes: keptBytes, isCancelled: { queue.isCancelled })
        queue.work(number) { place, progress in
          let task = tasks[place]
          return try extractor.extract(
            task.file, task.record, frames: balance?[task.record.label.label] ?? 0,
            progress: progress)
        }
      }
      thread.name = "extractor \(number)"
      thread.stackSize = 8 << 20
      thread.start()
    }
    return queue
  }
}
