extension [VideoReport] {
  /// The table that `dfkit predict` shows. Files with more than one person also have a row for each
  /// person.
  ///
  /// - Parameter width: The columns of the terminal; nil: no limit.
  package func table(width: Int? = TextTable.terminalWidth) -> String {
    var table = TextTable([
      .init("file"), .init("verdict"), .init("P(fake)", .right), .init("faces", .right),
      .init("seconds", .right), .init("note"),
    ])
    for report in self {
      table.add([
        report.file, report.verdict.answer.rawValue, report.verdict.probability?.fixed(3) ?? "-",
        report.error == nil ? "\(report.facesFound)/\(report.frames)" : "-",
        report.seconds.fixed(1), report.note,
      ])
      guard report.people.count > 1 else { continue }
      for person in report.people {
        table.add([
          "  person \(person.id)", person.verdict.answer.rawValue,
          person.verdict.probability?.fixed(3) ?? "-", "\(person.framesJudged)/\(report.frames)",
          "", person.note(isImage: report.frames == 1),
        ])
      }
    }
    return table.text(width: width)
  }

  /// The lines of a Kaggle submission: `filename,label`. The label is the probability that the file
  /// is fake, or 0.5 if there is no probability. Files are named without their folders, as Kaggle
  /// requires.
  public var submission: String {
    ([CSV.line(["filename", "label"])] + map(\.submissionLine)).joined(separator: "\n") + "\n"
  }
}

extension VideoReport {
  /// One line of a Kaggle submission, without the line break.
  public var submissionLine: String {
    let name = file.split(separator: "/").last.map(String.init) ?? file
    return CSV.line([name, "\(verdict.probability ?? 0.5)"])
  }

  /// The text of the table's last column: the error, or the reasons and warnings.
  var note: String {
    if let error { return error.withoutName(file) }
    let words = [verdict.reason?.words, uncalibrated, noted(familiarity), seldomSeen]
    return (words.compactMap { $0 } + warnings).joined(separator: "; ")
  }
}

extension VideoReport {
  /// A remark that the probability is not calibrated; nil if it is, or if there is no probability.
  private var uncalibrated: String? {
    verdict.probability == nil || isCalibrated != false ? nil : String.notCalibrated
  }

  /// A remark on faces unlike those in the training data; nil if there are none or if the verdict
  /// already says so.
  private func noted(_ familiarity: FaceFamiliarity?) -> String? {
    guard let familiarity, familiarity.isUnfamiliar, !verdict.isUnfamiliar else {
      return nil
    }
    return familiarity.traits.unfamiliarWords
  }

  /// A remark on people who look fake but are seen too seldom to count in the file's verdict; nil
  /// if there are none.
  private var seldomSeen: String? {
    let people = people.filter { !$0.counts && $0.verdict.answer == .fake }.map(\.id)
    return switch people.count {
    case 0: nil
    case 1: "person \(people[0]) looks fake but is seen in too few frames to count"
    default:
      "people \(people.map(String.init).joined(separator: ", ")) look fake but are seen in too few"
        + " frames to count"
    }
  }
}

extension VideoReport.Person {
  /// The text of the table's last column: when the person was seen (in an image: where), and when
  /// the face looked fake. At most four time spans are listed.
  func note(isImage: Bool) -> String {
    let seen: String
    if isImage {
      seen = "at \(surest.box.center.x.fixed(0)), \(surest.box.center.y.fixed(0))"
    } else {
      seen = "seen " + Span.words(firstTime, lastTime)
    }
    if let reason = verdict.reason { return "\(seen); \(reason.words)" }
    let seldom = counts ? "" : "; in too few frames to count"
    let spans = fakeSpans.prefix(4).map { Span.words($0.from, $0.to) }
    guard !isImage, !spans.isEmpty else { return seen + seldom }
    let more = fakeSpans.count > 4 ? ", ..." : ""
    return "\(seen); fake at \(spans.joined(separator: ", "))\(more)\(seldom)"
  }
}

extension VideoReport.Person.Span {
  fileprivate static func words(_ from: Double, _ to: Double) -> String {
    to > from ? "\(from.clock())-\(to.clock())" : from.clock()
  }
}

extension [DetectionReport] {
  /// The tables that `dfkit detect` shows: one row for each face and, if there are videos, a second
  /// table with one row for each person.
  ///
  /// - Parameter width: The columns of the terminal; nil: no limit.
  package func table(width: Int? = TextTable.terminalWidth) -> String {
    let people = peopleTable
    return faceTable.text(width: width)
      + (people.rows.isEmpty ? "" : "\n\n" + people.text(width: width))
  }

  private var faceTable: TextTable {
    var table = TextTable([
      .init("file"), .init("time", .right), .init("person", .right), .init("score", .right),
      .init("x1", .right), .init("y1", .right), .init("x2", .right), .init("y2", .right),
      .init("note"),
    ])
    for report in self {
      if let error = report.error {
        table.add(
          [report.file] + [String](repeating: "-", count: 7) + [error.withoutName(report.file)])
      }
      if !report.warnings.isEmpty {
        table.add(
          [report.file] + [String](repeating: "-", count: 7)
            + [report.warnings.joined(separator: "; ")])
      }
      for frame in report.frames {
        let place = [report.file, frame.time?.fixed(2) ?? "-"]
        if frame.faces.isEmpty {
          table.add(place + [String](repeating: "-", count: 6) + ["no face"])
        }
        for tracked in frame.faces {
          let box = tracked.face.box
          let edges = [box.x1, box.y1, box.x2, box.y2].map { $0.fixed(1) }
          table.add(place + ["\(tracked.track)", tracked.face.score.fixed(3)] + edges + [""])
        }
      }
    }
    return table
  }

  private var peopleTable: TextTable {
    var table = TextTable([
      .init("file"), .init("person", .right), .init("frames", .right), .init("first", .right),
      .init("last", .right), .init("mean score", .right), .init("surest at", .right),
    ])
    for report in self where report.frames.contains(where: { $0.time != nil }) {
      for track in report.tracks {
        table.add([
          report.file, "\(track.id)", "\(track.sightings.count)/\(report.frames.count)",
          track.sightings.first?.time.fixed(2) ?? "-", track.sightings.last?.time.fixed(2) ?? "-",
          track.meanScore.fixed(3), track.surest.time.fixed(2),
        ])
      }
    }
    return table
  }
}

extension [ClassificationReport] {
  /// The table that `dfkit classify` shows. A recipe of several networks shows the probability of
  /// each, otherwise the logits are shown. There is a verdict column if the recipe gives verdicts.
  ///
  /// - Parameter width: The columns of the terminal; nil: no limit.
  package func table(width: Int? = TextTable.terminalWidth) -> String {
    let names = lazy.map { $0.members.map(\.name) }.first { $0.count > 1 }
    let hasVerdicts = contains { $0.verdict != nil }
    var table = TextTable(
      [.init("file")] + (hasVerdicts ? [.init("verdict")] : []) + [.init("P(fake)", .right)]
        + (names?.map { .init($0, .right) } ?? [.init("logits")]) + [.init("note")])
    for report in self {
      let outputs =
        names.map { names in
          names.indices.map { place in
            report.members.count > place
              ? report.members[place].probability?.fixed(3) ?? "-" : "-"
          }
        } ?? [report.shownLogits]
      table.add(
        [report.file] + (hasVerdicts ? [report.verdict?.answer.rawValue ?? "-"] : [])
          + [report.probability?.fixed(3) ?? "-"] + outputs
          + [report.note])
    }
    return table.text(width: width)
  }
}

extension ClassificationReport {
  /// The text of the table's last column: the error, or the remarks.
  fileprivate var note: String {
    if let error { return error.withoutName(file) }
    return [verdict?.reason?.words, isCalibrated == false ? String.notCalibrated : nil]
      .compactMap { $0 }.joined(separator: "; ")
  }

  /// The first four logits; for more, also how many there are. ImageNet networks have a thousand.
  fileprivate var shownLogits: String {
    let more = logits.count > 4 ? " ... (\(logits.count))" : ""
    return logits.prefix(4).map { $0.fixed(4) }.joined(separator: " ") + more
  }
}

extension String {
  /// The remark on probabilities that are not calibrated.
  fileprivate static let notCalibrated = "not calibrated"

  /// An error's message without the file's name, for table rows that already begin with the name.
  fileprivate func withoutName(_ file: String) -> String {
    hasPrefix("\(file): ") ? String(dropFirst(file.count + 2)) : self
  }
}
