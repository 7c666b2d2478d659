import Classifiers
import Foundation
import MediaIO
import Training

/// Plants copies in datasets and tells which of them the search finds, and in what time and memory.
public struct CopyBenchmark: Sendable {
  /// Pictures to plant copies of, each of another person; empty draws some.
  public var pictures: [URL] = []
  /// The share of a dataset's crops that are planted copies.
  public var plantedShare = 0.08
  /// What makes embeddings, where any are wanted.
  public var embedder: (any FaceEmbedder)?
  /// What pictures and copies depend on.
  public var seed: UInt64 = 1
  /// The side of drawn scenes in pixels; crops are 1.3 times smaller.
  public var sceneSide = 208
  /// How many times as large a table is searched: pictures measured once stand for others, of which all that
  /// they are compared by is changed.
  public var times = 1
  /// The search.
  public var search = CopySearch()

  /// A benchmark of drawn pictures.
  public init() {}

  /// Makes a dataset of some size in a temporary folder, measures and searches it, and removes it.
  ///
  /// - Throws: `MediaError` where pictures cannot be read or written; `CancellationError`.
  public func run(count: Int, progress: (Int, Int) -> Void = { _, _ in }) throws
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
    try Task.checkCancellation()
    PeakMemory.restart()
    var clock = Stopwatch()
    var table = try FingerprintTable.measure(
      leaks.manifest, embedder: embedder, cache: nil, progress: progress)
    let measuring = clock.lap()
    var groups = leaks.groups
    if times > 1 {
      table = table.repeated(times, seed: seed)
      let own = Int32(clamping: groups.count)
      groups = (0..<times).flatMap { number in
        leaks.groups.map { $0 + own * Int32(clamping: number) }
      }
      _ = clock.lap()
    }
    let identical = search.identicalFiles(table, groups: groups)
    let copies = search.nearCopyMatches(table, groups: groups)
    let searching = clock.lap()
    let lookAlikes = search.lookAlikes(table, groups: groups)
    let lookingAlike = clock.lap()
    let backgrounds = search.backgrounds(table, groups: groups)
    try Task.checkCancellation()
    let background = clock.lap()
    let peak = PeakMemory.bytes
    // The first of the repeats, which is what was planted.
    let end = leaks.groups.count
    let score = leaks.score((identical + copies.map(\.link)).filter { $0.second < end })
    let places = leaks.scorePlaces(backgrounds.filter { $0.second < end })
    return CopyBenchmarkResult(
      crops: table.count,
      copies: PlantedCopy.allCases.compactMap { kind in
        score.copies[kind].map {
          .init(kind: kind.rawValue, planted: $0.planted, found: $0.found)
        }
      },
      places: .init(kind: "background", planted: places.videos.planted, found: places.videos.found),
      falseAlarms: score.falseAlarmsInTenThousand,
      falsePlaces: Float(places.falseAlarms) * 10_000 / Float(max(1, score.clean)),
      evidence: CopyEvidence.allCases.map { evidence in
        (evidence, copies.count { $0.evidence == evidence })
      }.reduce(into: [:]) { $0[$1.0] = $1.1 },
      lookAlikes: lookAlikes.count,
      measuringSeconds: measuring, searchingSeconds: searching, lookAlikeSeconds: lookingAlike,
      backgroundSeconds: background, peakBytes: peak)
  }
}

/// Seconds between calls.
private struct Stopwatch {
  private var start = ContinuousClock.now

  mutating func lap() -> Double {
    let now = ContinuousClock.now
    defer { start = now }
    return (now - start).seconds
  }
}

/// What a search found of planted copies.
public struct CopyBenchmarkResult: Sendable {
  /// Planted and found.
  public struct Share: Sendable, Equatable {
    /// What was planted.
    public var kind: String
    /// How many.
    public var planted: Int
    /// How many of them were found.
    public var found: Int
  }

  /// Crops in the dataset.
  public var crops: Int
  /// Each kind of copy.
  public var copies: [Share]
  /// Videos in a place that another video is in too, and those of them that were linked to it.
  public var places: Share
  /// Crops, planted ones apart, called copies of what they are no copies of, in 10,000.
  public var falseAlarms: Float
  /// Crops whose background was wrongly called another's, in 10,000.
  public var falsePlaces: Float
  /// The pairs that each kind of evidence found.
  public var evidence: [CopyEvidence: Int]
  /// Pairs of faces that look alike; 0 without an embedder.
  public var lookAlikes: Int
  /// Seconds to read, decode and measure all pictures.
  public var measuringSeconds: Double
  /// Seconds to find the identical and the copies.
  public var searchingSeconds: Double
  /// Seconds to find alike faces.
  public var lookAlikeSeconds: Double
  /// Seconds to find alike backgrounds.
  public var backgroundSeconds: Double
  /// The most memory that the process had in RAM; nil where the system does not tell.
  public var peakBytes: Int?

  /// The result as `dfkit bench copies --json` prints it (see `Docs/Formats.md`).
  public var json: JSON {
    func share(_ share: Share) -> JSON {
      ["planted": .integer(share.planted), "found": .integer(share.found)]
    }
    func tenths(_ value: Double) -> JSON { .double((value * 10).rounded() / 10) }
    return [
      "work": .string("copies"), "crops": .integer(crops),
      "copies": .object(copies.map { .init(key: $0.kind, value: share($0)) }),
      "backgrounds": share(places),
      "falseAlarmsInTenThousand": tenths(Double(falseAlarms)),
      "falseBackgroundsInTenThousand": tenths(Double(falsePlaces)),
      "pairs": .object(
        CopyEvidence.allCases.map {
          .init(key: $0.rawValue, value: .integer(evidence[$0, default: 0]))
        } + [.init(key: "lookAlike", value: .integer(lookAlikes))]),
      "seconds": [
        "measuring": tenths(measuringSeconds), "searching": tenths(searchingSeconds),
        "lookAlikes": tenths(lookAlikeSeconds), "backgrounds": tenths(backgroundSeconds),
      ],
      "peakBytes": peakBytes.map { .integer($0) } ?? .null,
    ]
  }
}

extension [CopyBenchmarkResult] {
  /// The table that `dfkit bench copies` shows: a row a dataset, shares found in per cent.
  public var table: String {
    let kinds = first?.copies.map(\.kind) ?? []
    var table = TextTable(
      [.init("crops", .right)] + kinds.map { .init($0, .right) }
        + [
          .init("background", .right), .init("false /10k", .right), .init("measure s", .right),
          .init("search s", .right), .init("peak MB", .right),
        ])
    func percent(_ share: CopyBenchmarkResult.Share) -> String {
      share.planted == 0 ? "" : (100 * Double(share.found) / Double(share.planted)).fixed(1)
    }
    for result in self {
      table.add(
        ["\(result.crops)"] + result.copies.map(percent)
          + [
            percent(result.places), Double(result.falseAlarms).fixed(1),
            result.measuringSeconds.fixed(1),
            (result.searchingSeconds + result.lookAlikeSeconds + result.backgroundSeconds).fixed(1),
            result.peakBytes.map { (Double($0) / 1e6).fixed(0) } ?? "",
          ])
    }
    return table.text
  }
}
