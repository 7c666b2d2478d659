import Foundation
import Measures

extension EvaluationReport {
  /// The report as text for the terminal.
  package var text: String {
    let real = files.count { $0.label == .real }
    var lines = [
      "\(Self.count(files.count, "video")), \(real) real and \(files.count - real) fake, in"
        + " \(Self.count(groups, "group"))"
        + (groups > 1
          ? "; in brackets: 95 % intervals of 1000 bootstrap draws of groups" : ""),
      "", table.text,
    ]
    for facet in Facet.allCases {
      let own = slices.filter { $0.facet == facet }
      if !own.isEmpty { lines += ["", sliceTable(facet, own).text] }
    }
    if isCalibrated == false {
      lines += [
        "",
        "This recipe is not calibrated for these weights: its probabilities are only scores."
          + " 'dfkit calibrate' fits a calibration.",
      ]
    }
    if levels.contains(where: { $0.coverage < 1 }) {
      lines += [
        "",
        "The first row of each level uses all probabilities, 0.5 if there is none, as Kaggle's"
          + " score does. 'answered' omits undecided verdicts; 'undecided 0.5' counts each of them"
          + " as 0.5.",
      ]
    }
    return lines.joined(separator: "\n")
  }

  private var table: TextTable {
    var table = TextTable(
      [.init("level"), .init("real", .right), .init("fake", .right), .init("coverage", .right)]
        + Metric.allCases.map { .init($0.title) })
    for level in levels where level.real + level.fake > 0 {
      let facts = ["\(level.real)", "\(level.fake)", Self.percent(level.coverage)]
      table.add([level.level.title] + facts + level.all.all.map(\.figure.text))
      if level.coverage < 1 {
        table.add(["  answered", "", "", ""] + level.answered.all.map(\.figure.text))
        table.add(["  undecided 0.5", "", "", ""] + level.undecidedAsHalf.all.map(\.figure.text))
      }
    }
    return table
  }

  private func sliceTable(_ facet: Facet, _ slices: [Slice]) -> TextTable {
    var table = TextTable(
      [
        .init("videos by \(facet.title)"), .init("real", .right), .init("fake", .right),
        .init("coverage", .right),
      ] + Self.sliceMetrics.map { .init($0.title) })
    for slice in slices {
      table.add(
        [slice.value, "\(slice.real)", "\(slice.fake)", Self.percent(slice.coverage)]
          + Self.sliceMetrics.map { slice.videos[$0].text })
    }
    return table
  }

  private static let sliceMetrics: [Metric] = [.logLoss, .accuracy, .auc]

  private static func count(_ count: Int, _ what: String) -> String {
    "\(count) \(what)\(count == 1 ? "" : "s")"
  }

  private static func percent(_ part: Double) -> String {
    part.isNaN ? "-" : "\((100 * part).fixed(0)) %"
  }

  /// The report as `dfkit evaluate --json` prints it (see `Docs/Formats.md`).
  package var json: JSON {
    [
      "videos": .integer(files.count), "groups": .integer(groups),
      "calibrated": isCalibrated.map { .bool($0) } ?? .null,
      "levels": .array(levels.map(\.json)), "slices": .array(slices.map(\.json)),
      "files": .array(files.map(\.json)),
    ]
  }
}

extension EvaluationReport.Level {
  fileprivate var json: JSON {
    [
      "level": .string(level.rawValue), "real": .integer(real), "fake": .integer(fake),
      "coverage": coverage.isNaN ? .null : .double(coverage), "all": all.json,
      "answered": answered.json, "undecidedAsHalf": undecidedAsHalf.json,
    ]
  }
}

extension EvaluationReport.Slice {
  fileprivate var json: JSON {
    [
      "facet": .string(facet.rawValue), "value": .string(value), "real": .integer(real),
      "fake": .integer(fake), "coverage": coverage.isNaN ? .null : .double(coverage),
      "videos": videos.json,
    ]
  }
}

extension EvaluatedFile {
  fileprivate var json: JSON {
    [
      "file": .string(name), "label": .string(label.word), "group": .string(group),
      "source": .string(source), "compression": .string(variant),
      "verdict": .string(report.verdict.answer.rawValue),
      "probability": .number(report.verdict.probability),
      "reason": .string(report.verdict.reason?.name), "frames": .integer(report.frames),
      "facesFound": .integer(report.facesFound),
      "people": .array(
        report.people.map {
          ["id": .integer($0.id), "probability": .number($0.verdict.probability)]
        }),
    ]
  }
}
