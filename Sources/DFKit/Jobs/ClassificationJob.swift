import Classifiers
import DeepfakeCore
import Foundation
import MediaIO

/// What a network says of one face crop, or why it says nothing.
public struct ClassificationReport: Sendable {
  /// The file.
  public var file: String
  /// The network's raw outputs.
  public var logits: [Float] = []
  /// The probability of manipulation; nil where the network's classes do not mean that.
  public var probability: Float?
  /// Why the file could not be scored; nil when it was.
  public var error: String?

  /// The report as `dfkit classify --json` prints it (see `Docs/Formats.md`).
  public var json: JSON {
    var members: [JSON.Member] = [
      .init(key: "file", value: .string(file)), .init(key: "logits", value: .numbers(logits)),
      .init(key: "probability", value: .number(probability)),
    ]
    if let error { members.append(.init(key: "error", value: .string(error))) }
    return .object(members)
  }
}

/// Scores face crops, each a picture of its own.
public struct ClassificationJob: Sendable {
  /// Scores them.
  public var classifier: any FrameClassifier

  /// A job.
  public init(classifier: any FrameClassifier) {
    self.classifier = classifier
  }

  /// Scores `files` in order, several at a time, and hands over the reports. Stops early in a cancelled
  /// task.
  ///
  /// - Throws: only what `report` throws.
  public func run(
    _ media: MediaFiles, progress: (JobProgress) -> Void = { _ in },
    report: (ClassificationReport) throws -> Void
  ) rethrows -> JobOutcome {
    var outcome = JobOutcome()
    for error in media.problems {
      outcome.failures += 1
      try report(ClassificationReport(file: error.path, error: error.description))
    }
    let files = media.files
    let step = max(1, classifier.batchSize)
    for start in stride(from: 0, to: files.count, by: step) {
      if Task.isCancelled {
        outcome.wasCancelled = true
        break
      }
      let batch = Array(files[start..<min(start + step, files.count)])
      progress(
        JobProgress(done: start, total: files.count, file: batch[0].relativePath, fraction: 0))
      for result in score(batch) {
        if result.error != nil { outcome.failures += 1 }
        try report(result)
      }
    }
    return outcome
  }

  private func score(_ files: [URL]) -> [ClassificationReport] {
    var reports = files.map { ClassificationReport(file: $0.relativePath) }
    var crops: [Image] = []
    var places: [Int] = []
    for (place, file) in files.enumerated() {
      do {
        crops.append(try ImageFile.read(file))
        places.append(place)
      } catch {
        reports[place].error = error.reason
      }
    }
    guard !crops.isEmpty else { return reports }
    for (place, logits) in zip(places, classifier.logits(of: crops)) {
      guard logits.allSatisfy(\.isFinite) else {
        reports[place].error =
          "\(reports[place].file): the network's outputs are not finite numbers; its weights may be"
          + " damaged."
        continue
      }
      reports[place].logits = logits
      reports[place].probability = classifier.probability(logits)
    }
    return reports
  }
}
