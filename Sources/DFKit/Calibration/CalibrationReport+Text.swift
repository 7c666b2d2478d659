import DeepfakeCore
import Foundation
import Training

extension CalibrationReport {
  /// The report for people.
  public var text: String {
    var lines = [
      "weights   \(TextTable.printable(weights))",
      "judged    \(faces.count) faces of \(videos.real + videos.fake) videos (\(videos.real) real,"
        + " \(videos.fake) fake) in \(groups) groups: \(TextTable.printable(part))",
      "counted   videos equally, real and fake ones as half each; in brackets 95 % of a thousand draws of"
        + " groups",
      "found     \(method.rawValue): P(fake) = sigmoid(\(Self.formula(calibration))) of a face's logit",
      "",
      figureTable.text, "", "For the recipe:", "", recipe,
    ]
    if let band {
      let share = "\((band.accuracy * 100).fixed(1)) % of the answers on these videos are right"
      lines += [""]
      if let range = band.range {
        lines.append(
          "Outside of \(range.lowerBound.fixed(2)) to \(range.upperBound.fixed(2)), \(share);"
            + " \((band.coverage * 100).fixed(0)) % of them get one.")
      } else {
        lines.append("\(share) without any being left undecided.")
      }
    } else {
      lines += [
        "",
        "No range around 0.5 lets \((accuracy * 100).fixed(0)) % of the answers outside of it be right.",
      ]
    }
    lines += notes.map { "Note: \($0)." }
    return lines.joined(separator: "\n")
  }

  /// What the recipe is to say, as YAML.
  public var recipe: String {
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
    return lines.isEmpty ? "# nothing" : lines.joined(separator: "\n")
  }

  private var figureTable: TextTable {
    var table = TextTable([.init("of")] + Self.metrics.map { .init($0.title) })
    for (name, level) in [("faces", frames), ("videos", videos)] {
      table.add(["\(name) before"] + level.before.all.map(\.figure.text))
      table.add(["\(name) calibrated"] + level.after.all.map(\.figure.text))
      if let others = level.crossFitted {
        table.add(["\(name) by others' fit"] + others.all.map(\.figure.text))
      }
    }
    return table
  }

  /// Six digits after the point are more than the data can tell.
  private static func rounded(_ value: Double) -> String { value.fixed(6) }

  private static func formula(_ calibration: LogitCalibration) -> String {
    let sign = calibration.offset < 0 ? "-" : "+"
    return "\(calibration.scale.fixed(4)) x logit \(sign) \(abs(calibration.offset).fixed(4))"
  }

  /// The report as `dfkit calibrate --json` prints it (see `Docs/Formats.md`).
  public var json: JSON {
    [
      "weights": .string(weights), "data": .string(dataDigest), "part": .string(part),
      "method": .string(method.rawValue), "faces": .integer(faces.count),
      "groups": .integer(groups), "calibration": calibration.json,
      "videoCalibration": videoCalibration?.json ?? .null,
      "frames": frames.json, "videos": videos.json,
      "undecided": band.map {
        [
          "range": $0.range.map { .array([.double($0.lowerBound), .double($0.upperBound)]) }
            ?? .null, "accuracy": .double($0.accuracy), "coverage": .double($0.coverage),
        ]
      } ?? .null, "notes": .array(notes.map { .string($0) }),
    ]
  }

  /// The reliability diagram as SVG: videos, or faces where there are fewer than fifty videos.
  public var plot: String {
    let isOfVideos = videos.real + videos.fake >= 50
    let level = isOfVideos ? videos : frames
    let what = isOfVideos ? "videos" : "faces"
    var plot = ReliabilityPlot(
      "Reliability of probabilities of \(what)",
      series: [
        .init("before", level.judgementsBefore), .init("calibrated", level.judgements),
      ])
    plot.subtitle = [
      "\(level.real) real and \(level.fake) fake \(what), counted as half each; ten bins of equal number",
      "with Wilson's 95 % intervals. Calibration error"
        + " \(level.before[.calibrationError].value.fixed(3)) before,"
        + " \(level.after[.calibrationError].value.fixed(3)) after.",
    ]
    return plot.svg
  }
}

extension CalibrationReport.Level {
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
