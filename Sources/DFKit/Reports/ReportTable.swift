extension [VideoReport] {
  /// The table that `dfkit predict` shows, for a terminal of `width` columns if given.
  public func table(width: Int? = nil) -> String {
    var table = TextTable([
      .init("file"), .init("verdict"), .init("P(fake)", .right), .init("faces", .right),
      .init("seconds", .right), .init("note"),
    ])
    for report in self {
      table.add([
        report.file, report.verdict.name, report.verdict.probability?.fixed(3) ?? "-",
        report.error == nil ? "\(report.facesFound)/\(report.frames)" : "-",
        report.seconds.fixed(1), report.note,
      ])
    }
    return table.text(width: width)
  }

  /// The lines of a Kaggle submission: `filename,label`, the label being the probability of
  /// manipulation, and 0.5 where undecided. Files are named without their folders, as Kaggle wants them.
  public var submission: String {
    ([CSV.line(["filename", "label"])] + map(\.submissionLine)).joined(separator: "\n") + "\n"
  }
}

extension VideoReport {
  /// One line of a submission, without its end.
  public var submissionLine: String {
    let name = file.split(separator: "/").last.map(String.init) ?? file
    return CSV.line([name, "\(verdict.probability ?? 0.5)"])
  }

  /// What the table's last column says.
  var note: String {
    if let error { return error.withoutName(file) }
    return ([verdict.reason?.words].compactMap { $0 } + warnings).joined(separator: "; ")
  }
}

extension [DetectionReport] {
  /// The table that `dfkit detect` shows, one line a face, for a terminal of `width` columns if given.
  public func table(width: Int? = nil) -> String {
    var table = TextTable([
      .init("file"), .init("time", .right), .init("score", .right), .init("x1", .right),
      .init("y1", .right), .init("x2", .right), .init("y2", .right), .init("note"),
    ])
    for report in self {
      let place = [report.file, report.time?.fixed(2) ?? "-"]
      if report.faces.isEmpty {
        table.add(
          place + ["-", "-", "-", "-", "-", report.error?.withoutName(report.file) ?? "no face"])
      }
      for face in report.faces {
        let edges = [face.box.x1, face.box.y1, face.box.x2, face.box.y2]
        table.add(place + [face.score.fixed(3)] + edges.map { $0.fixed(1) } + [""])
      }
    }
    return table.text(width: width)
  }
}

extension [ClassificationReport] {
  /// The table that `dfkit classify` shows, for a terminal of `width` columns if given.
  public func table(width: Int? = nil) -> String {
    var table = TextTable([
      .init("file"), .init("P(fake)", .right), .init("logits"), .init("note"),
    ])
    for report in self {
      // A thousand logits of an ImageNet network would not be read by anyone.
      let shown = report.logits.prefix(4).map { $0.fixed(4) }.joined(separator: " ")
      let more = report.logits.count > 4 ? " ... (\(report.logits.count))" : ""
      table.add([
        report.file, report.probability?.fixed(3) ?? "-", shown + more,
        report.error?.withoutName(report.file) ?? "",
      ])
    }
    return table.text(width: width)
  }
}

extension String {
  /// An error's message without the file's name, for lines that begin with it.
  fileprivate func withoutName(_ file: String) -> String {
    hasPrefix("\(file): ") ? String(dropFirst(file.count + 2)) : self
  }
}
