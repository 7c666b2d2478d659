import Foundation
import Measures

/// Measures leaks between the parts of a dataset, conflicting labels, and shortcuts that a network
/// could learn instead of signs of manipulation.
package struct DatasetAudit: Sendable {
  /// How pictures are compared.
  package var search = LinkSearch()
  /// Measures how well shortcuts predict the label.
  package var probe = ShortcutProbe()
  /// Maximum number of example pairs of each leak and conflict.
  package var exampleCount = 12

  package init() {}

  /// Kinds of leaks that are searched for between sides, in the order of the report.
  package static let kinds: [LinkKind] = [
    .identicalFile, .nearCopy, .video, .neighbours, .original, .person, .lookAlike, .background,
  ]

  /// Audits samples by their measured fingerprints.
  ///
  /// - Throws: `CancellationError` in a cancelled task.
  package func report(
    _ manifest: FaceManifest, _ sides: AuditSides, _ table: FingerprintTable
  ) throws -> AuditReport {
    precondition(
      manifest.count == table.count && sides.sides.count == table.count,
      "DatasetAudit: \(manifest.count) samples, a table of \(table.count)")
    var report = AuditReport()
    report.sides = sides.names.indices.map { side in
      let part = manifest.subset(sides.sides.indices.filter { sides.sides[$0] == side })
      return AuditReport.Side(name: sides.names[side], outline: DataOutline(part))
    }
    report.unreadable = table.unreadable
    report.embedder = table.embedderName
    report.lookAlikeThreshold = search.copies.lookAlikeSimilarity ?? table.lookAlikeThreshold
    for kind in Self.kinds where sides.names.count > 1 {
      try Task.checkCancellation()
      report.leaks += leaks(kind, manifest, sides, table)
    }
    report.leaks.sort { ($0.first, $0.second) < ($1.first, $1.second) }
    report.conflicts = conflicts(manifest, table)
    try Task.checkCancellation()
    report.shortcuts = probe.findings(manifest, table)
    return report
  }

  private func leaks(
    _ kind: LinkKind, _ manifest: FaceManifest, _ sides: AuditSides, _ table: FingerprintTable
  ) -> [AuditReport.Leak] {
    let groups = sides.sides.map(Int32.init)
    switch kind {
    case .video, .original, .person, .folder: return named(kind, manifest, sides)
    case .identicalFile:
      return paired(kind, search.copies.identicalFiles(table, groups: groups), sides)
    case .nearCopy: return nearCopies(search.copies.nearCopyMatches(table, groups: groups), sides)
    case .background: return paired(kind, search.copies.backgrounds(table, groups: groups), sides)
    case .neighbours: return paired(kind, search.neighbours(manifest, table), sides)
    case .lookAlike:
      guard table.dimension > 0 else { return [] }
      let units = LinkSearch.Units(manifest, table, search.neighbours(manifest, table))
      let links = search.lookAlikes(units, table, groups: groups)
      return paired(kind, links, sides, units: units.groups)
    }
  }

  private func nearCopies(
    _ matches: [CopyMatch], _ sides: AuditSides
  ) -> [AuditReport.Leak] {
    var leaks = paired(.nearCopy, matches.map(\.link), sides)
    for match in matches {
      let ends = [sides.sides[match.link.first], sides.sides[match.link.second]].sorted()
      for index in leaks.indices where [leaks[index].first, leaks[index].second] == ends {
        leaks[index].evidence[match.evidence, default: 0] += 1
      }
    }
    return leaks
  }

  /// Leaks by names that the manifest gives: videos, originals and persons.
  private func named(
    _ kind: LinkKind, _ manifest: FaceManifest, _ sides: AuditSides
  ) -> [AuditReport.Leak] {
    let names = SharedNames(kind, manifest.table, sides)
    return sides.pairs.map { first, second in
      let finding = names.finding(first, second, examples: exampleCount)
      return AuditReport.Leak(
        kind: kind, first: first, second: second, pairs: finding.names,
        touchedInFirst: finding.touched.first, touchedInSecond: finding.touched.second,
        share: Self.share(finding.touched.second, of: sides.count(second)),
        examples: finding.examples)
    }
  }

  /// Leaks by pairs of samples. If `units` is given, a linked sample counts for all samples of its
  /// unit on its side.
  private func paired(
    _ kind: LinkKind, _ links: [SampleLink], _ sides: AuditSides, units: [Int32]? = nil
  ) -> [AuditReport.Leak] {
    var perUnit: [Int64: Int] = [:]
    if let units {
      for (unit, side) in zip(units, sides.sides) {
        perUnit[Int64(unit) << 8 | Int64(side), default: 0] += 1
      }
    }
    return sides.pairs.map { first, second in
      var inFirst: Set<Int> = []
      var inSecond: Set<Int> = []
      var between: [SampleLink] = []
      for link in links {
        let ends = (sides.sides[link.first], sides.sides[link.second])
        if ends == (first, second) {
          inFirst.insert(link.first)
          inSecond.insert(link.second)
        } else if ends == (second, first) {
          inFirst.insert(link.second)
          inSecond.insert(link.first)
        } else {
          continue
        }
        between.append(link)
      }
      func size(_ samples: Set<Int>, _ side: Int) -> Int {
        guard let units else { return samples.count }
        return Set(samples.map { units[$0] }).reduce(0) {
          $0 + perUnit[Int64($1) << 8 | Int64(side), default: 0]
        }
      }
      let touched = size(inSecond, second)
      return AuditReport.Leak(
        kind: kind, first: first, second: second, pairs: between.count,
        touchedInFirst: size(inFirst, first), touchedInSecond: touched,
        share: Self.share(touched, of: sides.count(second)), examples: worst(between))
    }
  }

  private static func share(_ touched: Int, of all: Int) -> Double {
    all == 0 ? 0 : Double(touched) / Double(all)
  }

  /// The most similar pairs, at most `exampleCount`. No sample is in two of them.
  private func worst(_ links: [SampleLink]) -> [SampleLink] {
    var seen: Set<Int> = []
    var result: [SampleLink] = []
    let sorted = links.sorted {
      ($1.similarity, $0.first, $0.second) < ($0.similarity, $1.first, $1.second)
    }
    for link in sorted where !seen.contains(link.first) && !seen.contains(link.second) {
      if result.count == exampleCount { break }
      seen.formUnion([link.first, link.second])
      result.append(link)
    }
    return result
  }

  /// Linked samples with different labels. A fake and a frame of its original may rightly be
  /// near-copies, and are left out if the manifest names the original.
  private func conflicts(
    _ manifest: FaceManifest, _ table: FingerprintTable
  ) -> [AuditReport.Conflict] {
    let rows = manifest.table.rows
    let labels = rows.map { Int32($0.label.rawValue) }
    func isMadeFromOther(_ link: SampleLink) -> Bool {
      let (a, b) = (rows[link.first], rows[link.second])
      return a.original >= 0 && a.original == b.video || b.original >= 0 && b.original == a.video
    }
    var result: [AuditReport.Conflict] = []
    let same = search.copies.identicalFiles(table, groups: labels)
    let copies = search.copies.nearCopies(table, groups: labels).filter { !isMadeFromOther($0) }
    for (kind, links) in [(LinkKind.identicalFile, same), (.nearCopy, copies)]
    where !links.isEmpty {
      result.append(.init(kind: kind, count: links.count, examples: worst(links)))
    }
    let videos = videosOfBothLabels(rows)
    if !videos.isEmpty {
      result.append(
        .init(kind: .video, count: videos.count, examples: Array(videos.prefix(exampleCount))))
    }
    return result
  }

  private func videosOfBothLabels(_ rows: [SampleTable.Row]) -> [SampleLink] {
    var first: [Int32: Int] = [:]
    var mixed: Set<Int32> = []
    var links: [SampleLink] = []
    for (index, row) in rows.enumerated() where row.video >= 0 {
      guard let other = first[row.video] else {
        first[row.video] = index
        continue
      }
      if rows[other].label != row.label, mixed.insert(row.video).inserted {
        links.append(SampleLink(other, index, .video))
      }
    }
    return links
  }
}
