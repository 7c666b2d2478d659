import Training

/// What an extraction came to.
package struct ExtractionSummary: Sendable {
  /// What there is of one label.
  package struct Counts: Sendable, Equatable {
    /// Videos that are extracted.
    package var videos = 0
    /// Those of them without a crop.
    package var withoutFaces = 0
    /// Frames that were searched.
    package var frames = 0
    package var crops = 0
  }

  /// Something about a video.
  package struct Remark: Sendable, Equatable {
    /// The file: as it was given where it failed, as the dataset names it otherwise.
    package var file: String
    /// What there is to say.
    package var text: String
  }

  /// The dataset's folder.
  package var folder: String
  /// What reports call the detector's weights; nil where it was made in code.
  package var detector: String?
  /// The real part of the whole dataset, with what was there before.
  package var real = Counts()
  /// The fake part.
  package var fake = Counts()
  /// Videos extracted now.
  package var extracted = 0
  /// Videos that were extracted before and skipped.
  package var skipped = 0
  /// Videos that wait: the work was interrupted, now or before.
  package var waiting = 0
  /// Videos that could not be extracted.
  package var failures: [Remark] = []
  /// What was odd about videos that were extracted now.
  package var warnings: [Remark] = []
  /// Rows of the lists of labels that name no file.
  package var rowsWithoutFile: [LabelEntry] = []
  /// Files of the folders that are no videos, by extension.
  package var passedOver: [String: Int] = [:]
  /// How many frames a video gave, where they were spread.
  package var balance: FrameBalance?
  /// Seconds that it took.
  package var seconds = 0.0
  /// Whether it was cancelled.
  package var wasCancelled = false

  /// How the job ended, for the exit status.
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

  /// The summary for people, the failures aside.
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
    if waiting > 0 { done += ", \(waiting) waiting: the same command goes on with them" }
    lines.append("\(done); \(ProgressLine.clock(seconds))")
    if real.videos + fake.videos > 0 { lines.append("wrote \(folder)/\(FaceManifest.fileName)") }
    return lines.joined(separator: "\n")
  }
}

extension ExtractionPlan {
  /// What is about to be done, for people.
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
  /// Each row with its list, line and file.
  package var json: JSON {
    .array(
      map { ["list": .string($0.list), "line": .integer($0.line), "file": .string($0.file)] })
  }
}

extension JSON {
  /// Numbers by name, in the order of the names.
  package static func counts(_ counts: [String: Int]) -> JSON {
    .object(counts.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: .integer($0.value)) })
  }
}
