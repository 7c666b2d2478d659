import Training

/// What a search found of planted copies.
package struct CopyBenchmarkResult: Sendable {
  /// Planted and found.
  package struct Share: Sendable, Equatable {
    /// What was planted.
    package var kind: String
    /// How many.
    package var planted: Int
    /// How many of them were found.
    package var found: Int
  }

  /// Crops in the dataset.
  package var crops: Int
  /// Each kind of copy.
  package var copies: [Share]
  /// Videos in a place that another video is in too, and those of them that were linked to it.
  package var places: Share
  /// Crops, planted ones apart, called copies of what they are no copies of, in 10,000.
  package var falseAlarms: Float
  /// Crops whose background was wrongly called another's, in 10,000.
  package var falsePlaces: Float
  /// The pairs that each kind of evidence found.
  package var evidence: [CopyEvidence: Int]
  /// Pairs of faces that look alike; 0 without an embedder.
  package var lookAlikes: Int
  /// Of several runs, the median, as in the next three: seconds to read, decode and measure all
  /// pictures.
  package var measuringSeconds: Double
  /// Seconds to find the identical and the copies.
  package var searchingSeconds: Double
  /// Seconds to find alike faces.
  package var lookAlikeSeconds: Double
  /// Seconds to find alike backgrounds.
  package var backgroundSeconds: Double
  /// The whole, by crop, and the memory.
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
  /// The tables that `dfkit bench copies` shows: that of all benchmarks, and a row a dataset with
  /// the shares found in per cent.
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
