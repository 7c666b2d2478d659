import DeepfakeCore
import Foundation
import MediaIO
import Training

/// The videos of a dataset, what is done of them and what there is to do.
package struct ExtractionPlan {
  /// A video that cannot be extracted.
  package struct Failure: Sendable, Equatable {
    /// The file as it was given.
    package var file: String
    package var error: String
  }

  /// A video that waits, and where its file is.
  struct Waiting: Sendable {
    var record: VideoRecord
    var file: URL
  }

  let folder: ExtractionFolder
  /// The plan's, not the folder's: threads may hold that for a moment longer than the job runs.
  private let lock: FolderLock
  var state: ExtractionState
  var tasks: [Waiting] = []
  /// How many frames a video gives, where they are spread.
  package private(set) var balance: FrameBalance?
  /// Videos of which no label is known, or that cannot be the dataset's.
  package private(set) var failures: [Failure] = []
  /// Videos that were extracted before.
  package private(set) var doneBefore = 0
  /// Where the labels were from.
  package private(set) var labelText = ""
  /// Files that show no faces to learn from, by what they are.
  package private(set) var leftOut: [String: Int] = [:]
  /// Rows of the lists of labels whose file is neither among the videos nor where the list says.
  package private(set) var rowsWithoutFile: [LabelEntry] = []
  /// Files of the folders that are no videos, by extension (`MediaFiles.passedOver`).
  package private(set) var passedOver: [String: Int] = [:]

  /// Real and fake videos of the dataset.
  package var videoCounts: (real: Int, fake: Int) { (state.count(.real), state.count(.fake)) }

  /// Videos that are still to be extracted.
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
            problem: "is video '\(record.key)', as \(other.relativePath) is. Videos need names of"
              + " their own: give the labels as a CSV with a column 'video' (--labels)")
        }
        if let other = slugs.updateValue(record.key, forKey: record.slug), other != record.key {
          throw DatasetError.unusable(
            file: file.relativePath,
            problem: "has a name too much like that of video '\(other)'. Rename it")
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
        problem: "its label, original, person, split or origin was another when it was extracted."
          + " Extract into another folder (--out)")
    }
    guard let size = try? RegularFile.size(file), size == known.bytes else {
      throw DatasetError.unusable(
        file: file.relativePath,
        problem: "has changed since it was extracted. Extract into another folder (--out)")
    }
  }
}
