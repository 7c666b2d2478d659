import DeepfakeCore

/// The peak speed of this computer, to which the speed of layers is compared.
package struct MachineTable: Sendable, Equatable {
  private let speed: MachineSpeed

  init(_ speed: MachineSpeed) {
    self.speed = speed
  }

  /// Measures the peak of multiply-adds and the bandwidth of caches, with all threads of the pool,
  /// in about a tenth of a second. With `memory`, also measures RAM beyond the caches, which takes
  /// up to a second more.
  package static func measure(memory: Bool) -> MachineTable {
    MachineTable(.measure(memory: memory))
  }

  /// GFLOP/s of all threads with the instruction set in use; 0 if unknown.
  package var peak: Double { speed.peak?.allThreads ?? 0 }

  /// The peak and the bandwidths on one line.
  var line: String {
    let places = speed.bandwidths.map { "\($0.place) \($0.read.fixed(0)) GB/s" }
    let set = speed.peak?.instructionSet ?? ""
    return "peak of \(speed.threads) thread\(speed.threads == 1 ? "" : "s"), \(set):"
      + " \(peak.fixed(0)) GFLOP/s; reads from \(places.joined(separator: ", "))"
  }

  /// The tables that `dfkit bench machine` shows.
  package var text: String {
    var peaks = TextTable([
      .init("instructions"), .init("threads", .right), .init("GFLOP/s", .right), .init(""),
    ])
    for peak in speed.peaks {
      peaks.add([peak.instructionSet, "1", peak.oneThread.fixed(0), peak.isInUse ? "in use" : ""])
      guard speed.threads > 1 else { continue }
      peaks.add(["", "\(speed.threads)", peak.allThreads.fixed(0), ""])
    }
    var places = TextTable([
      .init("place"), .init("MB", .right), .init("threads", .right), .init("read GB/s", .right),
      .init("copy GB/s", .right),
    ])
    for bandwidth in speed.bandwidths {
      places.add([
        bandwidth.place, (Double(bandwidth.bytes) / 1e6).fixed(0), "\(speed.threads)",
        bandwidth.read.fixed(1), bandwidth.copy.fixed(1),
      ])
    }
    return peaks.text + "\n\n" + places.text
  }

  /// The tables as JSON (see `Docs/Formats.md`).
  package var json: JSON {
    [
      "threads": .integer(speed.threads),
      "instructionSet": .string(speed.peak?.instructionSet),
      "peaks": .array(
        speed.peaks.map {
          [
            "instructionSet": .string($0.instructionSet), "oneThreadGflops": .tenths($0.oneThread),
            "allThreadsGflops": .tenths($0.allThreads),
          ]
        }),
      "bandwidths": .array(
        speed.bandwidths.map {
          [
            "place": .string($0.place), "bytes": .integer($0.bytes),
            "readGigabytesPerSecond": .tenths($0.read),
            "copyGigabytesPerSecond": .tenths($0.copy),
          ]
        }),
    ]
  }
}

extension JSON {
  fileprivate static func tenths(_ value: Double) -> JSON { .double((value * 10).rounded() / 10) }
}
