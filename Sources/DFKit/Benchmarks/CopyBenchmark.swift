import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import MediaIO

/// Plants copies of crops in a generated dataset and measures how many of them the copy search
/// finds, how long that takes and how much memory it needs.
package struct CopyBenchmark: Sendable {
  /// Pictures to plant copies of, each of a different person. If empty, scenes are drawn instead.
  package var pictures: [URL] = []
  /// The share of a dataset's crops that are planted copies, 0 to 1.
  package var plantedShare = 0.08
  /// Computes embeddings; nil: the search works without them.
  package var embedder: (any FaceEmbedder)?
  /// Random seed; the same seed gives the same pictures and copies.
  package var seed: UInt64 = 1
  /// The side of drawn scenes in pixels; crops are 10/13 of it.
  package var sceneSide = 208
  /// How many times larger the searched table is than the dataset. Above 1, the measured
  /// fingerprints are repeated, each time changed so that repeats do not look like each other.
  package var times = 1
  package var search = CopySearch()
  /// The number of timed runs. Each measures and searches the same dataset from scratch.
  package var repeats = 1
  /// The number of untimed runs before them.
  package var warmUps = 0

  /// A benchmark on drawn pictures, without embeddings.
  package init() {}

  /// Makes a dataset of `count` crops in a temporary folder, measures and searches it, and removes
  /// it.
  ///
  /// - Throws: `MediaError` if pictures cannot be read or written; `CancellationError` in a
  ///   cancelled task.
  package func run(count: Int, progress: (JobProgress) -> Void = { _ in }) throws
    -> CopyBenchmarkResult
  {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("dfkit-copies-\(ProcessInfo.processInfo.processIdentifier)-\(count)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let source =
      pictures.isEmpty ? PlantedLeaks.Source.drawn(side: sceneSide) : .pictures(pictures)
    let leaks = try PlantedLeaks(
      source, count: count, planted: Int(Double(count) * plantedShare), seed: seed, in: folder)
    PeakMemory.restart()
    var found: Findings?
    var runs: [Seconds] = []
    for _ in 0..<warmUps + max(1, repeats) {
      try Task.checkCancellation()
      let (findings, seconds) = try measureAndSearch(leaks, progress: progress)
      found = findings
      runs.append(seconds)
    }
    let peak = PeakMemory.bytes
    return CopyBenchmarkResult(
      found ?? Findings(), leaks, size: pictures.isEmpty ? .side(sceneSide * 10 / 13) : .mixed,
      seconds: Array(runs.dropFirst(warmUps)), warmUps: warmUps, peakBytes: peak)
  }

  /// The links that the search found in a table; `crops` is the number of pictures in the table.
  fileprivate struct Findings {
    var crops = 0
    var identical: [SampleLink] = []
    var copies: [CopyMatch] = []
    var lookAlikes = 0
    var backgrounds: [SampleLink] = []
  }

  /// The seconds of one run.
  fileprivate struct Seconds {
    var measuring = 0.0
    var searching = 0.0
    var lookAlikes = 0.0
    var backgrounds = 0.0
    var all: Double { measuring + searching + lookAlikes + backgrounds }
  }

  private func measureAndSearch(
    _ leaks: PlantedLeaks, progress: (JobProgress) -> Void
  ) throws -> (Findings, Seconds) {
    var (found, seconds) = (Findings(), Seconds())
    var clock = Stopwatch()
    var table = try FingerprintTable.measure(
      leaks.manifest, embedder: embedder, cache: nil, progress: progress)
    seconds.measuring = clock.lap()
    var groups = leaks.groups
    if times > 1 {
      table = table.repeated(times, seed: seed)
      let own = Int32(clamping: groups.count)
      groups = (0..<times).flatMap { number in
        leaks.groups.map { $0 + own * Int32(clamping: number) }
      }
      _ = clock.lap()
    }
    found.crops = table.count
    found.identical = search.identicalFiles(table, groups: groups)
    found.copies = search.nearCopyMatches(table, groups: groups)
    seconds.searching = clock.lap()
    found.lookAlikes = search.lookAlikes(table, groups: groups).count
    seconds.lookAlikes = clock.lap()
    found.backgrounds = search.backgrounds(table, groups: groups)
    try Task.checkCancellation()
    seconds.backgrounds = clock.lap()
    return (found, seconds)
  }
}

extension CopyBenchmarkResult {
  fileprivate init(
    _ found: CopyBenchmark.Findings, _ leaks: PlantedLeaks, size: BenchmarkResult.Size,
    seconds: [CopyBenchmark.Seconds], warmUps: Int, peakBytes: Int?
  ) {
    // Score only the first repeat of the table: it is the dataset in which copies were planted.
    let end = leaks.groups.count
    let score = leaks.score(
      (found.identical + found.copies.map(\.link)).filter { $0.second < end })
    let places = leaks.scorePlaces(found.backgrounds.filter { $0.second < end })
    func middle(_ part: (CopyBenchmark.Seconds) -> Double) -> Double {
      RunTimes(seconds.map(part)).median
    }
    crops = found.crops
    copies = PlantedCopy.allCases.compactMap { kind in
      score.copies[kind].map { .init(kind: kind.rawValue, planted: $0.planted, found: $0.found) }
    }
    self.places = .init(
      kind: "background", planted: places.videos.planted, found: places.videos.found)
    falseAlarms = score.falseAlarmsInTenThousand
    falsePlaces = Float(places.falseAlarms) * 10_000 / Float(max(1, score.clean))
    evidence = CopyEvidence.allCases.reduce(into: [:]) { counts, evidence in
      counts[evidence] = found.copies.count { $0.evidence == evidence }
    }
    lookAlikes = found.lookAlikes
    measuringSeconds = middle(\.measuring)
    searchingSeconds = middle(\.searching)
    lookAlikeSeconds = middle(\.lookAlikes)
    backgroundSeconds = middle(\.backgrounds)
    timing = BenchmarkResult(
      work: "copies", architecture: "none", norm: "none", size: size,
      batch: found.crops, threads: Parallel.threadCount, warmUps: warmUps,
      times: RunTimes(seconds.map(\.all)).scaled(by: 1000 / Double(max(1, found.crops))),
      peakBytes: peakBytes)
  }
}

/// Measures the seconds between two calls of `lap`.
private struct Stopwatch {
  private var start = ContinuousClock.now

  mutating func lap() -> Double {
    let now = ContinuousClock.now
    defer { start = now }
    return (now - start).seconds
  }
}
