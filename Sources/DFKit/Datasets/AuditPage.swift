import CDFResources
import DeepfakeCore
import FaceData
import Foundation
import MediaIO

/// Renders an audit as a single HTML page that loads no other file and needs no network.
package struct AuditPage {
  /// The audit to show.
  package var result: AuditJob.Result
  /// The share of a side's samples, 0 to 1, that may be linked to another side before it counts as
  /// a leak.
  package var allowed: Double
  /// Whether the page contains the pictures of examples. False by default, because they show
  /// people's faces.
  package var showsFaces = false

  /// The longer side of a picture on the page, in pixels.
  private static let side = 144

  /// A page without pictures.
  package init(_ result: AuditJob.Result, allowed: Double) {
    self.result = result
    self.allowed = allowed
  }

  /// The page as HTML.
  ///
  /// - Throws: An error if the built-in template cannot be parsed.
  package var html: String {
    get throws { try HTMLPage.rendered(df_audit_page(), context) }
  }

  /// Writes the page. If that fails, no partial file is left.
  ///
  /// - Throws: `DatasetError.unwritable` if the file cannot be written.
  package func write(to file: URL) throws {
    try HTMLPage.write(try html, to: file)
  }

  private var context: [String: Any] {
    let report = result.report
    let leaks = report.leaks(above: allowed)
    return [
      "names": result.names.joined(separator: ", "), "version": dfkitVersion,
      "verdict": result.verdict(allowed: allowed), "isClean": leaks.isEmpty,
      "allowed": AuditJob.Result.percent(allowed),
      "sides": report.sides.map { side in
        [
          "name": side.name, "real": "\(side.outline.real.samples)",
          "fake": "\(side.outline.fake.samples)",
          "videos": Self.known(side.outline.real.videos + side.outline.fake.videos),
          "people": Self.known(side.outline.real.people + side.outline.fake.people),
        ]
      },
      "hasLeaks": report.sides.count > 1,
      "leaks": report.leaks.map(leak), "hasConflicts": !report.conflicts.isEmpty,
      "conflicts": report.conflicts.map { conflict in
        [
          "kind": conflict.kind.text, "count": "\(conflict.count)",
          "pairs": conflict.examples.map(pair),
        ]
      },
      "hasShortcuts": !report.shortcuts.isEmpty,
      "shortcuts": report.shortcuts.map { finding in
        [
          "name": finding.name, "auc": finding.auc.fixed(3), "advice": finding.advice,
          "width": (min(max(2 * finding.auc - 1, 0), 1) * 100).fixed(1),
          "isHigh": finding.auc > 0.75,
        ]
      },
      "embedder": report.embedder ?? "", "hasEmbedder": report.embedder != nil,
      "threshold": report.lookAlikeThreshold.map { $0.fixed(2) } ?? "",
      "hasUnreadable": !report.unreadable.isEmpty, "unreadableCount": "\(report.unreadable.count)",
      "unreadable": report.unreadable.prefix(50).map(\.error.description),
      "notes": result.notes, "showsFaces": showsFaces,
    ]
  }

  private static func known(_ number: Int) -> String { number == 0 ? "-" : "\(number)" }

  private func leak(_ leak: AuditReport.Leak) -> [String: Any] {
    let sides = result.report.sides
    return [
      "between": "\(sides[leak.first].name) and \(sides[leak.second].name)",
      "kind": leak.kind.text, "pairs": "\(leak.pairs)", "touched": "\(leak.touchedInSecond)",
      "share": AuditJob.Result.percent(leak.share),
      "width": (min(leak.share, 1) * 100).fixed(1), "second": sides[leak.second].name,
      "isLeak": leak.kind != .background && leak.share > allowed,
      "isInformation": leak.kind == .background, "advice": leak.kind.advice,
      "evidence": leak.evidenceText.map { "In this dataset, \($0)." } ?? "",
      "hasExamples": !leak.examples.isEmpty, "examples": leak.examples.map(pair),
      "exampleCount": "\(leak.examples.count)",
    ]
  }

  private func pair(_ link: SampleLink) -> [String: Any] {
    [
      "similarity": link.similarity.fixed(2), "first": face(link.first),
      "second": face(link.second),
    ]
  }

  private func face(_ index: Int) -> [String: Any] {
    let sample = result.manifest.samples[index]
    var face: [String: Any] = [
      "path": sample.path, "label": sample.label.word, "isFake": sample.label == .fake,
      "video": sample.video ?? "",
    ]
    if showsFaces, let picture = Self.picture(sample.file) { face["picture"] = picture }
    return face
  }

  /// A JPEG of the picture, at most `side` pixels wide and high, in Base64. Nil if the picture
  /// cannot be read.
  private static func picture(_ file: URL) -> String? {
    guard let image = try? ImageFile.read(file) else { return nil }
    let scale = Double(side) / Double(max(image.width, image.height))
    let small = image.resized(
      width: max(1, Int((Double(image.width) * scale).rounded())),
      height: max(1, Int((Double(image.height) * scale).rounded())), method: .area)
    guard let data = try? ImageFile.encode(small, as: .jpeg(quality: 85)) else { return nil }
    return data.base64EncodedString()
  }
}
