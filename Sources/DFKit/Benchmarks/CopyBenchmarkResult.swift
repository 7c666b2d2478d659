import FaceData

/// How many planted copies the search found, and what that cost.
package struct CopyBenchmarkResult: Sendable {
  /// How many of one kind were planted, and how many of those were found.
  package struct Share: Sendable, Equatable {
    /// The kind of copy, or `background`.
    package var kind: String
    package var planted: Int
    package var found: Int
  }

  /// The number of crops searched.
  package var crops: Int
  /// The share found of each kind of copy.
  package var copies: [Share]
  /// The videos that share a place with another video, and how many of them were linked to such a
  /// video by their background.
  package var places: Share
  /// False alarms in 10,000 crops that are not planted copies: crops linked to a crop that is no
  /// copy of anything in their video.
  package var falseAlarms: Float
  /// Crops in 10,000 that are not planted copies and whose background was linked to a different
  /// place.
  package var falsePlaces: Float
  /// The number of pairs that each kind of evidence found.
  package var evidence: [CopyEvidence: Int]
  /// The number of pairs of faces that look alike; 0 without an embedder.
  package var lookAlikes: Int
  /// Seconds to read, decode and measure all pictures. This and the next three are medians over the
  /// runs.
  package var measuringSeconds: Double
  /// Seconds to find identical pictures and near-copies.
  package var searchingSeconds: Double
  /// Seconds to find faces that look alike.
  package var lookAlikeSeconds: Double
  /// Seconds to find backgrounds that look alike.
  package var backgroundSeconds: Double
  /// The total time per crop, and the peak memory.
  package var timing: BenchmarkResult

  /// The result as `dfkit bench copies --json` prints it (see `Docs/Formats.md`).
  package var json: JSON {
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
      "threads": .integer(timing.threads), "warmUp": .integer(timing.warmUps),
      "repeats": .integer(timing.times.runs.count), "millisecondsPerImage": timing.times.json,
      "peakBytes": .integer(timing.peakBytes),
    ]
  }
}

extension [CopyBenchmarkResult] {
  /// The tables that `dfkit bench copies` shows: the table of all benchmarks, then one row for each
  /// dataset with the percentage found of each kind.
  public var table: String {
    let kinds = first?.copies.map(\.kind) ?? []
    var table = TextTable(
      [.init("crops", .right)] + kinds.map { .init($0, .right) }
        + [
          .init("background", .right), .init("false /10k", .right), .init("measure s", .right),
          .init("search s", .right),
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
          ])
    }
    return map(\.timing).table + "\n\n" + table.text
  }
}
