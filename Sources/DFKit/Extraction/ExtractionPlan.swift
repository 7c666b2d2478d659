import DeepfakeCore
import FaceData
import Foundation
import MediaIO

/// The videos of a dataset: which are already extracted and which are still to do.
package struct ExtractionPlan {
  /// A video that cannot be extracted.
  package struct Failure: Sendable, Equatable {
    /// The path of the file.
    package var file: String
    package var error: String
  }

  /// A video that is still to be extracted, and its file.
  struct Waiting: Sendable {
    var record: VideoRecord
    var file: URL
  }

  let folder: ExtractionFolder
  /// Held by the plan and not by the folder, because threads may keep the folder for a moment after
  /// the job ends.
  private let lock: FolderLock
  var state: ExtractionState
  var tasks: [Waiting] = []
  /// The number of frames for each label if frames are evenly spread, otherwise nil.
  package private(set) var balance: FrameBalance?
  /// Videos without a known label, and videos that conflict with the dataset.
  package private(set) var failures: [Failure] = []
  /// The number of videos that were extracted earlier.
  package private(set) var doneBefore = 0
  /// A description of where the labels come from.
  package private(set) var labelText = ""
  /// The number of files that are left out because they show no faces to train on, by the reason.
  package private(set) var leftOut: [String: Int] = [:]
  /// Label rows whose file is neither among the videos nor at the place that the list names.
  package private(set) var rowsWithoutFile: [LabelEntry] = []
  /// Files in the folders that are not videos, counted by extension (`MediaFiles.passedOver`).
  package private(set) var passedOver: [String: Int] = [:]

  /// The number of real and of fake videos in the dataset.
  package var videoCounts: (real: Int, fake: Int) { (state.count(.real), state.count(.fake)) }

  /// The number of videos that are still to be extracted.
  package var videosToDo: Int { tasks.count }

  init(
    _ inputs: MediaFiles, _ labels: DatasetLabels, _ options: ExtractionOptions,
    detectorDigest: String, folder url: URL
  ) throws {
    folder = try ExtractionFolder(url)
    lock = try folder.lock()
    var settings = ExtractionRecord(options, detectorDigest: detectorDigest)
    let before = try ExtractionRecord.read(folder.record)
    if let before {
      let differences = try before.differences(to: settings)
      guard differences.isEmpty else {
        throw ExtractionError.otherSettings(folder: url.relativePath, differences: differences)
      }
    } else if FileManager.default.fileExists(atPath: folder.manifest.path) {
      throw ExtractionError.foreign(folder: url.relativePath)
    }
    state = try ExtractionState(folder)
    failures = inputs.problems.map { Failure(file: $0.path, error: $0.description) }
    var labels = labels
    let labelled = labels.answers(for: inputs.files)
    rowsWithoutFile = labels.entriesWithoutFile()
    passedOver = inputs.passedOver
    labelText = labels.text
    leftOut = labels.leftOut
    if options.isStrict, let text = rowsWithoutFile.textOfMissing {
      throw DatasetError.impossible(problem: text + DatasetLabels.strictAdvice)
    }
    addVideos(labelled)
    if case .spread(let frames) = options.frames {
      balance = before?.frames.balance ?? balance(frames, options)
    }
    guard before == nil, !state.records.isEmpty else { return }
    settings.frames.balance = options.isBalanced ? balance : nil
    try OutputFiles.write(
      try settings.json(), to: folder.record, failure: ExtractionError.unwritable)
  }

  private func balance(_ frames: Int, _ options: ExtractionOptions) -> FrameBalance {
    guard options.isBalanced else { return FrameBalance(frames) }
    let counts = videoCounts
    return FrameBalance(
      frames, realVideos: counts.real, fakeVideos: counts.fake,
      most: max(frames, options.maxFrames))
  }

  private mutating func addVideos(_ labelled: LabelledFiles) {
    failures += labelled.failures.map { Failure(file: $0.file, error: $0.text) }
    var seen: [String: URL] = [:]
    var slugs: [String: String] = [:]
    for record in state.records { slugs[record.slug] = record.key }
    for video in labelled.videos {
      let file = video.file
      do {
        let record = VideoRecord(video.label)
        if let other = seen.updateValue(file, forKey: record.key) {
          throw DatasetError.unusable(
            file: file.relativePath,
            problem: "has the name '\(record.key)', like \(other.relativePath). Each video needs"
              + " its own name: give the labels as a CSV with a column 'video' (--labels)")
        }
        if let other = slugs.updateValue(record.key, forKey: record.slug), other != record.key {
          throw DatasetError.unusable(
            file: file.relativePath,
            problem: "has a name that is too similar to that of video '\(other)'. Rename it")
        }
        try add(record, file)
      } catch {
        failures.append(Failure(file: file.relativePath, error: error.reason))
      }
    }
  }

  private mutating func add(_ record: VideoRecord, _ file: URL) throws {
    let place = state.add(record)
    let known = state.records[place]
    guard known.state == .done else {
      state.wait(place, with: record)
      tasks.append(Waiting(record: record, file: file))
      return
    }
    doneBefore += 1
    guard record.isLabelled(as: known) else {
      throw DatasetError.unusable(
        file: file.relativePath,
        problem: "its label, original, person, split or origin has changed since it was"
          + " extracted. Extract into another folder (--out)")
    }
    guard let size = try? RegularFile.size(file), size == known.bytes else {
      throw DatasetError.unusable(
        file: file.relativePath,
        problem: "has changed since it was extracted. Extract into another folder (--out)")
    }
  }
}
