import DeepfakeCore
import Foundation
import Measures

extension CalibrationReport {
  /// The report as text for the terminal.
  package var text: String {
    var lines = [
      "\(isOfRecipe ? "recipe " : "weights")   \(TextTable.printable(title))",
      "judged    \(faces.count) faces of \(videos.real + videos.fake) videos (\(videos.real) real,"
        + " \(videos.fake) fake) in \(groups) groups: \(TextTable.printable(part))",
      "weighted  \(counted); in brackets: 95 % intervals of 1000 bootstrap draws of groups",
    ]
    lines += members.filter { $0.frames != nil }.map { member in
      let name = isOfRecipe ? " by \(member.name)" : ""
      return "fitted    \(method.rawValue): P(fake) = sigmoid(\(Self.formula(member.calibration)))"
        + " for a face's logit\(name)"
    }
    lines += ["", figureTable.text]
    if sources.count > 1 { lines += ["", sourceTable.text, ""] + worst }
    lines += ["", "For the recipe:", "", recipe, ""] + bandWords
    lines += notes.map { "Note: \($0)." }
    return lines.joined(separator: "\n")
  }

  private var counted: String {
    guard sources.count > 1 else { return "videos equally, with half the weight for each label" }
    let single = sources.filter { !$0.hasBoth }.count
    let rest =
      single == 0 || single == sources.count
      ? "" : "; \(single) with only one label together as one source"
    return "sources equally (half the weight for each label\(rest)), videos of a source equally"
  }

  private var worst: [String] {
    guard let worst = worstCalibrated else { return [] }
    return [
      "The largest calibration error of a source with both labels is"
        + " \(worst.videos.best(.calibrationError).fixed(3)), on \(worst.title)."
    ]
  }

  /// The lines of the recipe that use the calibration and the undecided range, as YAML.
  package var recipe: String {
    var lines: [String] = []
    if let videoCalibration {
      lines += [
        "aggregation:",
        "  calibration: {scale: \(Self.rounded(videoCalibration.scale)),"
          + " offset: \(Self.rounded(videoCalibration.offset))}",
      ]
    }
    if let range = band?.range {
      lines += [
        "verdict:",
        "  undecided: [\(range.lowerBound.fixed(2)), \(range.upperBound.fixed(2))]",
      ]
    }
    return lines.isEmpty ? "# no change" : lines.joined(separator: "\n")
  }

  private var bandWords: [String] {
    let (several, goal) = (sources.filter(\.hasBoth).count > 1, (accuracy * 100).fixed(0))
    guard let band else {
      return [
        "There is no range around 0.5 outside which \(goal) % of the answers are right"
          + (several ? " on every source." : ".")
      ]
    }
    let share =
      "\(several ? "at least " : "")\((band.accuracy * 100).fixed(1)) % of the answers on"
      + " \(several ? "each source with both labels" : "these videos") are right"
    guard let range = band.range else { return ["Without an undecided range, \(share)."] }
    let first =
      "Outside the undecided range \(range.lowerBound.fixed(2)) to \(range.upperBound.fixed(2)),"
      + " \(share); \((band.coverage * 100).fixed(0)) % of"
      + " \(several ? "the videos" : "them") get an answer."
    guard several || sources.contains(where: { $0.crossFittedAnswers != nil }) else {
      return [first]
    }
    return [first, "", answerTable.text]
  }

  private var answerTable: TextTable {
    var table = TextTable([
      .init("videos by source"), .init("answered", .right), .init("right", .right),
      .init("answered, cross-validated", .right), .init("right", .right),
    ])
    for source in sources {
      table.add(
        [source.title] + Self.cells(source.answers) + Self.cells(source.crossFittedAnswers))
    }
    return table
  }

  private static func cells(_ answers: AbstainBand.Answers?) -> [String] {
    guard let answers else { return ["-", "-"] }
    return [answers.coverage, answers.accuracy].map {
      $0.isNaN ? "-" : "\(($0 * 100).fixed(1)) %"
    }
  }

  private var figureTable: TextTable {
    var table = TextTable([.init("level")] + Self.metrics.map { .init($0.title) })
    for member in members {
      guard let frames = member.frames else { continue }
      table.add("faces\(isOfRecipe ? " by \(member.name)" : "")", frames.figures)
    }
    table.add("videos", videos.figures)
    return table
  }

  private var sourceTable: TextTable {
    var table = TextTable(
      [.init("videos by source"), .init("real", .right), .init("fake", .right)]
        + Self.metrics.map { .init($0.title) })
    for source in sources {
      let counts = ["\(source.videos.real)", "\(source.videos.fake)"]
      table.add(source.title, source.videos, counts)
    }
    return table
  }

  /// Rounds to six decimals, which is more than the data can support.
  private static func rounded(_ value: Double) -> String { value.fixed(6) }

  private static func formula(_ calibration: LogitCalibration) -> String {
    let sign = calibration.offset < 0 ? "-" : "+"
    return "\(calibration.scale.fixed(4)) x logit \(sign) \(abs(calibration.offset).fixed(4))"
  }

  /// The report as `dfkit calibrate --json` prints it (see `Docs/Formats.md`).
  package var json: JSON {
    var keys: [JSON.Member] = [
      .init(key: isOfRecipe ? "recipe" : "weights", value: .string(title)),
      .init(key: "data", value: .string(dataDigest)), .init(key: "part", value: .string(part)),
      .init(key: "method", value: .string(method.rawValue)),
      .init(key: "faces", value: .integer(faces.count)),
      .init(key: "groups", value: .integer(groups)),
    ]
    if !isOfRecipe { keys.append(.init(key: "calibration", value: calibration.json)) }
    keys.append(.init(key: "videoCalibration", value: videoCalibration?.json ?? .null))
    if !isOfRecipe {
      keys.append(.init(key: "frames", value: members[0].frames?.figures.json ?? .null))
    }
    keys += [
      .init(key: "videos", value: videos.figures.json),
      .init(key: "members", value: .array(members.map(\.json))),
      .init(key: "sources", value: .array(sources.map(\.json))),
      .init(
        key: "undecided",
        value: band.map {
          [
            "range": $0.range.map { .array([.double($0.lowerBound), .double($0.upperBound)]) }
              ?? .null, "accuracy": .double($0.accuracy), "coverage": .double($0.coverage),
          ]
        } ?? .null), .init(key: "notes", value: .array(notes.map { .string($0) })),
    ]
    return .object(keys)
  }

  /// The reliability diagram as SVG. It shows videos, or faces if there are fewer than fifty videos
  /// and faces were calibrated.
  package var plot: String {
    let frames = videos.real + videos.fake < 50 ? members[0].frames : nil
    let (level, what) = (frames ?? videos, frames == nil ? "videos" : "faces")
    var plot = ReliabilityPlot(
      "Reliability of probabilities of \(what)",
      series: [
        .init("before", level.judgementsBefore), .init("calibrated", level.judgements),
      ])
    plot.subtitle = [
      "\(level.real) real and \(level.fake) fake \(what), half the weight each; ten bins of equal"
        + " number",
      "with Wilson's 95 % intervals. Calibration error"
        + " \(level.before[.calibrationError].value.fixed(3)) before,"
        + " \(level.after[.calibrationError].value.fixed(3)) after.",
    ]
    return plot.svg
  }
}

extension TextTable {
  /// Adds rows of figures: before, calibrated and, if there are any, cross-validated.
  fileprivate mutating func add(
    _ name: String, _ figures: CalibrationReport.Figures, _ counts: [String] = []
  ) {
    add(["\(name) before"] + counts + figures.before.all.map(\.figure.text))
    let blank = counts.map { _ in "" }
    add(["\(name) calibrated"] + blank + figures.after.all.map(\.figure.text))
    if let others = figures.crossFitted {
      add(["\(name) cross-validated"] + blank + others.all.map(\.figure.text))
    }
  }
}

extension CalibrationReport.Source {
  /// The source's name in tables; "no origin" if it has none.
  var title: String { name.isEmpty ? "no origin" : name }

  fileprivate var json: JSON {
    [
      "source": name.isEmpty ? .null : .string(name), "videos": videos.json,
      "answers": answers?.json ?? .null, "crossFittedAnswers": crossFittedAnswers?.json ?? .null,
    ]
  }
}

extension CalibrationReport.Member {
  fileprivate var json: JSON {
    [
      "name": .string(name), "calibration": frames == nil ? .null : calibration.json,
      "frames": frames?.figures.json ?? .null,
    ]
  }
}

extension AbstainBand.Answers {
  fileprivate var json: JSON {
    ["coverage": .double(coverage), "accuracy": .double(accuracy)]
  }
}

extension CalibrationReport.Figures {
  fileprivate var json: JSON {
    [
      "real": .integer(real), "fake": .integer(fake), "before": before.json, "after": after.json,
      "crossFitted": crossFitted?.json ?? .null,
    ]
  }
}

extension LogitCalibration {
  fileprivate var json: JSON { ["scale": .double(scale), "offset": .double(offset)] }
}
