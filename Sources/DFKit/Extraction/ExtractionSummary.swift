import FaceData
import Measures

/// The numbers and problems of an extraction.
package struct ExtractionSummary: Sendable {
  /// The counts of one label.
  package struct Counts: Sendable, Equatable {
    /// Extracted videos.
    package var videos = 0
    /// Extracted videos without any crop.
    package var withoutFaces = 0
    /// Searched frames.
    package var frames = 0
    package var crops = 0
  }

  /// A failure or warning about a video.
  package struct Remark: Sendable, Equatable {
    /// The file: for failures the path that was given, for warnings the name in the dataset.
    package var file: String
    package var text: String
  }

  /// The path of the dataset's folder.
  package var folder: String
  /// The name of the detector's weights in reports; nil if the detector was made in code.
  package var detector: String?
  /// The counts of real videos in the whole dataset, including those extracted earlier.
  package var real = Counts()
  /// The counts of fake videos in the whole dataset, including those extracted earlier.
  package var fake = Counts()
  /// The number of videos that this run extracted.
  package var extracted = 0
  /// The number of videos that were extracted earlier and skipped.
  package var skipped = 0
  /// The number of videos that are still to be extracted because the work was interrupted.
  package var waiting = 0
  /// Videos that could not be extracted.
  package var failures: [Remark] = []
  /// Problems of videos that this run extracted.
  package var warnings: [Remark] = []
  /// Label rows without a file.
  package var rowsWithoutFile: [LabelEntry] = []
  /// Files in the folders that are not videos, counted by extension.
  package var passedOver: [String: Int] = [:]
  /// The number of frames for each label if frames are evenly spread, otherwise nil.
  package var balance: FrameBalance?
  /// The duration of the run, in seconds.
  package var seconds = 0.0
  /// Whether the run was cancelled before the last video.
  package var wasCancelled = false

  /// The outcome that decides the command's exit code.
  package var outcome: JobOutcome {
    JobOutcome(failures: failures.count, wasCancelled: wasCancelled)
  }

  mutating func count(_ state: ExtractionState) {
    for record in state.records {
      switch record.state {
      case .waiting: waiting += 1
      case .failed: break
      case .done where record.label.label == .real: Self.add(record, to: &real)
      case .done: Self.add(record, to: &fake)
      }
    }
  }

  private static func add(_ record: VideoRecord, to counts: inout Counts) {
    counts.videos += 1
    counts.withoutFaces += record.faces == 0 ? 1 : 0
    counts.frames += record.frames
    counts.crops += record.faces
  }

  /// The summary as `dfkit extract --json` prints it.
  package var json: JSON {
    func object(_ counts: Counts) -> JSON {
      [
        "videos": .integer(counts.videos), "withoutFaces": .integer(counts.withoutFaces),
        "frames": .integer(counts.frames), "crops": .integer(counts.crops),
      ]
    }
    func list(_ remarks: [Remark], _ key: String) -> JSON {
      .array(remarks.map { ["file": .string($0.file), key: .string($0.text)] })
    }
    return [
      "folder": .string(folder), "detector": .string(detector), "real": object(real),
      "fake": object(fake),
      "framesOfReal": .integer(balance?.real), "framesOfFake": .integer(balance?.fake),
      "extracted": .integer(extracted), "skipped": .integer(skipped),
      "waiting": .integer(waiting), "failures": list(failures, "error"),
      "warnings": list(warnings, "warning"), "rowsWithoutFile": rowsWithoutFile.json,
      "passedOver": .counts(passedOver), "seconds": .double(seconds),
      "interrupted": .bool(wasCancelled),
    ]
  }

  /// The summary as text for the terminal, without the failures.
  package var text: String {
    var table = TextTable([
      .init("label"), .init("videos", .right), .init("without a face", .right),
      .init("frames", .right), .init("crops", .right), .init("part", .right),
    ])
    let all = max(1, real.crops + fake.crops)
    for (label, counts) in [(FaceLabel.real, real), (.fake, fake)] {
      let part = (Double(counts.crops) / Double(all) * 100).rounded()
      table.add([
        label.word, "\(counts.videos)", "\(counts.withoutFaces)", "\(counts.frames)",
        "\(counts.crops)", "\(Int(part)) %",
      ])
    }
    var lines = [table.text]
    var done = "\(extracted) \(extracted == 1 ? "video" : "videos") extracted"
    if skipped > 0 { done += ", \(skipped) done before" }
    if !failures.isEmpty { done += ", \(failures.count) failed" }
    if waiting > 0 { done += ", \(waiting) waiting: run the same command again to continue" }
    lines.append("\(done); \(ProgressLine.clock(seconds))")
    if real.videos + fake.videos > 0 { lines.append("wrote \(folder)/\(FaceManifest.fileName)") }
    return lines.joined(separator: "\n")
  }
}

extension ExtractionPlan {
  /// The plan as text for the terminal: labels, files left out, and the videos to do.
  package var text: String {
    var lines: [String] = []
    if !labelText.isEmpty { lines.append("labels from \(labelText)") }
    for (reason, count) in leftOut.sorted(by: { $0.key < $1.key }) {
      lines.append("left out: \(count) \(count == 1 ? "file" : "files") of \(reason)")
    }
    if let text = rowsWithoutFile.textOfMissing { lines.append(text) }
    let counts = videoCounts
    if let balance {
      let real = "\(counts.real) real \(counts.real == 1 ? "video" : "videos")"
      let fake = "\(counts.fake) fake"
      lines.append(
        "up to \(balance.real) \(balance.real == 1 ? "frame" : "frames") of each of \(real), "
          + "\(balance.fake) of each of \(fake): \(counts.real * balance.real) and "
          + "\(counts.fake * balance.fake) frames")
    } else {
      lines.append("\(counts.real) real videos, \(counts.fake) fake")
    }
    if doneBefore > 0 { lines.append("\(doneBefore) done before, \(videosToDo) to do") }
    return lines.joined(separator: "\n")
  }
}

extension [LabelEntry] {
  /// An array of objects with each row's list, line and file.
  package var json: JSON {
    .array(
      map { ["list": .string($0.list), "line": .integer($0.line), "file": .string($0.file)] })
  }
}

extension JSON {
  /// An object of counts, sorted by key.
  package static func counts(_ counts: [String: Int]) -> JSON {
    .object(counts.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: .integer($0.value)) })
  }
}
