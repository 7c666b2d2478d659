import FaceData

extension AuditJob.Result {
  /// The report as text for the terminal: sides, leaks, label conflicts, shortcuts, the verdict and
  /// remarks.
  ///
  /// - Parameter allowed: The share of a side, 0 to 1, beyond which a link between sides is a leak.
  package func text(allowed: Double) -> String {
    var blocks = [sidesTable]
    if report.sides.count > 1 { blocks.append(leaksTable(allowed: allowed)) }
    if !report.conflicts.isEmpty { blocks.append(conflictsTable) }
    if !report.shortcuts.isEmpty { blocks.append(shortcutsTable) }
    blocks.append(verdict(allowed: allowed))
    let remarks = Self.remarks(report) + notes
    return (blocks + remarks).joined(separator: "\n\n")
  }

  private var sidesTable: String {
    var table = TextTable([
      .init("side"), .init("real", .right), .init("fake", .right), .init("videos", .right),
      .init("people", .right),
    ])
    for side in report.sides {
      let (real, fake) = (side.outline.real, side.outline.fake)
      func known(_ number: Int) -> String { number == 0 ? "-" : "\(number)" }
      table.add([
        side.name, "\(real.samples)", "\(fake.samples)", known(real.videos + fake.videos),
        known(real.people + fake.people),
      ])
    }
    return table.text
  }

  private func leaksTable(allowed: Double) -> String {
    var table = TextTable([
      .init("between"), .init("leak"), .init("pairs", .right), .init("touched", .right),
      .init("share", .right), .init(""),
    ])
    for leak in report.leaks {
      table.add([
        "\(report.sides[leak.first].name) and \(report.sides[leak.second].name)", leak.kind.text,
        "\(leak.pairs)", "\(leak.touchedInSecond)", Self.percent(leak.share),
        leak.kind == .background ? "(for information)" : leak.share > allowed ? "LEAK" : "",
      ])
    }
    let evidence = report.leaks.compactMap(\.evidenceText).map { "\n\($0)" }
    return table.text + "\ntouched, share: samples of the second side in such pairs"
      + evidence.joined()
  }

  private var conflictsTable: String {
    var table = TextTable([
      .init("different labels of"), .init("found", .right), .init("for example"),
    ])
    for conflict in report.conflicts {
      let example = conflict.examples.first.map {
        "\(manifest.samples[$0.first].path) and \(manifest.samples[$0.second].path)"
      }
      table.add([conflict.kind.text, "\(conflict.count)", example ?? ""])
    }
    return table.text
  }

  private var shortcutsTable: String {
    var table = TextTable([.init("feature that predicts the label"), .init("AUC", .right)])
    for finding in report.shortcuts { table.add([finding.name, finding.auc.fixed(3)]) }
    return table.text
      + "\n0.5 is chance; a network may learn a feature far above 0.5 instead of faces"
  }

  /// One sentence that says whether any leak touches more than the share `allowed` of a side, and
  /// names the worst.
  package func verdict(allowed: Double) -> String {
    guard report.sides.count > 1 else { return "nothing to compare" }
    let leaks = report.leaks(above: allowed)
    let limit = "\(Self.percent(allowed)) of a side"
    guard let worst = leaks.max(by: { $0.share < $1.share }) else {
      return "no leak above \(limit)"
    }
    return "LEAK: \(Self.percent(worst.share)) of \(report.sides[worst.second].name)"
      + " by \(worst.kind.text); \(leaks.count) \(leaks.count == 1 ? "kind is" : "kinds are")"
      + " above \(limit)"
  }

  private static func remarks(_ report: AuditReport) -> [String] {
    var lines: [String] = []
    if let embedder = report.embedder, let threshold = report.lookAlikeThreshold {
      lines.append(
        "faces count as look-alike from a similarity of \(threshold.fixed(2)) on (\(embedder))")
    }
    if !report.unreadable.isEmpty {
      lines.append(
        "\(report.unreadable.count) pictures could not be read:\n"
          + report.unreadable.prefix(10).map { "  \($0.error.description)" }
          .joined(separator: "\n"))
    }
    return lines
  }

  static func percent(_ share: Double) -> String {
    let percent = share * 100
    return "\(percent > 0 && percent < 0.1 ? percent.fixed(2) : percent.fixed(1)) %"
  }

  /// The report as JSON (see `Docs/Formats.md`).
  package func json(allowed: Double) -> JSON {
    func pair(_ link: SampleLink) -> JSON {
      [
        "first": .string(manifest.samples[link.first].path),
        "second": .string(manifest.samples[link.second].path),
        "similarity": .number(link.similarity),
      ]
    }
    return [
      "manifests": .array(names.map { .string($0) }),
      "allowed_share": .double(allowed),
      "leaks_found": .integer(report.leaks(above: allowed).count),
      "sides": .array(
        report.sides.map { side in
          [
            "name": .string(side.name), "real": .integer(side.outline.real.samples),
            "fake": .integer(side.outline.fake.samples),
            "videos": .integer(side.outline.real.videos + side.outline.fake.videos),
            "people": .integer(side.outline.real.people + side.outline.fake.people),
          ]
        }),
      "leaks": .array(
        report.leaks.map { leak in
          [
            "kind": .string(leak.kind.rawValue),
            "first": .string(report.sides[leak.first].name),
            "second": .string(report.sides[leak.second].name),
            "pairs": .integer(leak.pairs), "touched_in_first": .integer(leak.touchedInFirst),
            "touched_in_second": .integer(leak.touchedInSecond),
            "share_of_second": .double(leak.share),
            "found_by": .object(
              CopyEvidence.allCases.compactMap { kind in
                leak.evidence[kind].map { .init(key: kind.rawValue, value: .integer($0)) }
              }), "examples": .array(leak.examples.map(pair)),
          ]
        }),
      "label_conflicts": .array(
        report.conflicts.map { conflict in
          [
            "kind": .string(conflict.kind.rawValue), "count": .integer(conflict.count),
            "examples": .array(conflict.examples.map(pair)),
          ]
        }),
      "shortcuts": .array(
        report.shortcuts.map { ["feature": .string($0.name), "auc": .double($0.auc)] }),
      "embedder": .string(report.embedder),
      "look_alike_threshold": .number(report.lookAlikeThreshold),
      "unreadable": .array(report.unreadable.map { .string($0.error.description) }),
      "notes": .array(notes.map { .string($0) }),
    ]
  }
}

extension AuditReport.Leak {
  /// By which evidence near-copies were found, with the number of pairs each. Nil if there is no
  /// such evidence, as for all other kinds of leaks.
  var evidenceText: String? {
    let parts = CopyEvidence.allCases.compactMap { kind in
      evidence[kind].map { "\(kind.text) (\($0))" }
    }
    return parts.isEmpty ? nil : "near-copies were found by \(parts.joined(separator: ", "))"
  }
}

extension CopyEvidence {
  /// The name of the evidence in reports.
  fileprivate var text: String {
    switch self {
    case .hash: "perceptual hash"
    case .points: "points in both pictures"
    case .feature: "the embedder's feature"
    }
  }
}
