import CDFResources
import Classifiers
import DeepfakeCore
import Foundation
import MediaIO

/// Renders an explained verdict as a single HTML page that needs no other file, no script and no
/// network.
package struct VideoPage {
  /// The explanation to show.
  package var explanation: VideoExplanation

  /// The longer side of a crop on the page, in pixels.
  private static let side = 224

  package init(_ explanation: VideoExplanation) {
    self.explanation = explanation
  }

  /// The page as HTML.
  ///
  /// - Throws: An error if the built-in template cannot be parsed.
  package var html: String {
    get throws { try HTMLPage.rendered(df_video_page(), context) }
  }

  /// Writes the page. If that fails, no partial file is left.
  ///
  /// - Throws: `DatasetError.unwritable` if the file cannot be written.
  package func write(to file: URL) throws {
    try HTMLPage.write(try html, to: file)
  }

  private var context: [String: Any] {
    let report = explanation.report
    let undecided = explanation.recipe.verdict.undecided
    return [
      "file": explanation.file.path, "name": Self.lastName(explanation.file.path),
      "version": dfkitVersion, "verdict": report.verdict.answer.rawValue,
      "headline": Self.headline(report.verdict), "isFake": report.verdict.answer == .fake,
      "isReal": report.verdict.answer == .real,
      "probability": report.verdict.probability.map { $0.fixed(2) } ?? "",
      "hasProbability": report.verdict.probability != nil,
      "reason": report.verdict.reason?.words ?? "",
      "isUndecided": report.verdict.reason != nil,
      "frames": "\(report.frames)", "framesWithFaces": "\(report.facesFound)",
      "peopleCount": explanation.people.count == 1
        ? "one person" : "\(explanation.people.count) people",
      "hasPeople": !explanation.people.isEmpty,
      "people": explanation.people.map(person),
      "warnings": report.warnings, "hasWarnings": !report.warnings.isEmpty,
      "notLookedAt": explanation.notLookedAt,
      "isCalibrated": report.isCalibrated != false,
      "hasBand": undecided != nil,
      "bandLow": undecided?.lowerBound.fixed(2) ?? "",
      "bandHigh": undecided?.upperBound.fixed(2) ?? "",
      "facts": facts.map { ["name": $0.0, "value": $0.1] },
      "models": explanation.models.map { model in
        [
          "name": model.name, "architecture": model.architecture, "weights": model.weights,
          "sha256": model.sha256, "size": model.size.map { "\($0) px" } ?? "",
        ]
      }, "settings": explanation.recipe.yaml,
    ]
  }

  private var facts: [(String, String)] {
    let file = explanation.file
    var facts = [
      ("file", file.path), ("size", "\(file.size) bytes"), ("SHA-256", file.sha256),
    ]
    if let video = file.video {
      facts.append(("pictures", "\(video.width) x \(video.height), \(video.codec)"))
      if let duration = video.duration { facts.append(("duration", "\(duration.fixed(1)) s")) }
    }
    facts += [
      ("recipe", explanation.recipe.name),
      (
        "analysed",
        "\(explanation.report.frames) frames, \(explanation.report.facesFound) with faces"
      ),
      ("time taken", "\(explanation.report.seconds.fixed(1)) s"), ("dfkit", dfkitVersion),
    ]
    return facts
  }

  private func person(_ person: VideoExplanation.Person) -> [String: Any] {
    let verdict = person.report.verdict
    return [
      "id": "\(person.report.id)", "verdict": verdict.answer.rawValue,
      "isFake": verdict.answer == .fake,
      "isReal": verdict.answer == .real,
      "headline": Self.headline(verdict),
      "probability": verdict.probability.map { $0.fixed(2) } ?? "",
      "hasProbability": verdict.probability != nil,
      "low": person.spread?.lowerBound.fixed(2) ?? "",
      "high": person.spread?.upperBound.fixed(2) ?? "",
      "hasSpread": person.scores.count > 1 && person.spread != nil,
      "seen": Self.sightings(person.report),
      "judged": "\(person.report.framesJudged)", "hasTimeline": person.scores.count > 1,
      "counts": person.report.counts,
      "hasMembers": person.report.members.count > 1,
      "members": person.report.members.enumerated().map { place, member in
        [
          "name": member.name, "probability": member.probability.fixed(2),
          "separator": place == 0 ? "" : "; ",
        ]
      },
      "timeline": ScoreTimeline(person, explanation.recipe.verdict.undecided).svg,
      "hasSpans": !person.report.fakeSpans.isEmpty,
      "spans": person.report.fakeSpans.enumerated().map { place, span in
        [
          "from": span.from.fixed(1), "to": span.to.fixed(1), "peak": span.peak.fixed(1),
          "probability": span.probability.fixed(2), "separator": place == 0 ? "" : "; ",
        ]
      }, "hasFaces": !person.driving.isEmpty,
      "faces": person.driving.map { face($0, of: person.report.id) },
    ]
  }

  private func face(_ face: VideoExplanation.DrivingFace, of person: Int) -> [String: Any] {
    let scale = Double(Self.side) / Double(max(face.crop.width, face.crop.height))
    let shown =
      scale < 1
      ? face.crop.resized(
        width: max(1, Int((Double(face.crop.width) * scale).rounded())),
        height: max(1, Int((Double(face.crop.height) * scale).rounded())), method: .area)
      : face.crop
    let most = max(0.25, face.regions.map { abs($0.weight) }.max() ?? 0)
    return [
      "time": face.time.fixed(1), "probability": face.probability.fixed(2),
      "isHigh": face.probability >= 0.5, "key": "p\(person)-\(face.place)",
      "picture": Self.jpeg(shown) ?? "",
      "heat": face.heat.flatMap { Self.jpeg($0.drawn(over: shown)) } ?? "",
      "hasHeat": face.heat != nil, "hasRegions": !face.regions.isEmpty,
      "regions": face.regions.map { finding in
        [
          "name": finding.region.rawValue,
          "weight": (finding.weight < 0 ? "\u{2212}" : "+") + abs(finding.weight).fixed(2),
          "width": (50 * abs(finding.weight) / most).fixed(1), "isFake": finding.weight > 0,
        ]
      },
    ]
  }

  private static func sightings(_ person: VideoReport.Person) -> String {
    person.framesSeen == 1
      ? "one frame at \(person.firstTime.fixed(1)) s"
      : "\(person.framesSeen) frames from \(person.firstTime.fixed(1)) s to"
        + " \(person.lastTime.fixed(1)) s"
  }

  private static func headline(_ verdict: Verdict) -> String {
    switch verdict {
    case .fake: "Looks manipulated"
    case .real: "No sign of manipulation found"
    case .undecided(let reason): "Undecided: \(reason.words)"
    }
  }

  private static func lastName(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  private static func jpeg(_ image: Image) -> String? {
    (try? ImageFile.encode(image, as: .jpeg(quality: 85)))?.base64EncodedString()
  }
}
