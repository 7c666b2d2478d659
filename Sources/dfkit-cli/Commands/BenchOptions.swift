import ArgumentParser
import DFKit

extension BenchCommand {
  /// Options that all benchmarks have.
  struct Options: ParsableArguments {
    @Option(help: "Number of runs before the measured ones; 2 if not given (video, copies: 0).")
    var warmUp: Int?

    @Option(
      help: """
        Number of measured runs; 10 if not given (video: 3, copies: 1). The median and the spread \
        are shown.
        """)
    var repeats: Int?

    @OptionGroup var threads: ThreadOptions

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
      if let warmUp, !(0...10_000).contains(warmUp) {
        throw ValidationError("--warm-up must be 0 to 10000.")
      }
      if let repeats, !(1...10_000).contains(repeats) {
        throw ValidationError("--repeats must be 1 to 10000.")
      }
    }

    /// The harness of the benchmarks. The arguments are the defaults of `--repeats` and
    /// `--warm-up`. Also sets the number of threads.
    func benchmark(repeats usualRepeats: Int = 10, warmUps usualWarmUps: Int = 2) -> Benchmark {
      threads.apply()
      return Benchmark(repeats: repeats ?? usualRepeats, warmUps: warmUp ?? usualWarmUps)
    }

    func print(_ results: [BenchmarkResult]) throws {
      if json { return try Output.write(JSON.array(results.map(\.json)).text + "\n") }
      try Output.show(results.table)
      for result in results {
        for text in result.details { try Output.show("\n" + text) }
      }
    }
  }

  struct BatchOptions: ParsableArguments {
    @Option(help: "Number of images in a batch; may be given several times.")
    var batch: [Int] = [1]

    func validate() throws {
      guard batch.allSatisfy({ (1...256).contains($0) }) else {
        throw ValidationError("--batch must be 1 to 256.")
      }
    }
  }

  struct LayerOptions: ParsableArguments {
    @Flag(
      help: """
        Repeat the runs and list the time of each layer, compared with this computer's peak speed.
        """)
    var layers = false

    @Option(help: "The order of --layers: as executed, or the slowest first.")
    var sort: LayerTable.Order = .executed

    /// The order of the listed layers; nil without `--layers`.
    var order: LayerTable.Order? { layers ? sort : nil }
  }
}

extension LayerTable.Order: ExpressibleByArgument {}
