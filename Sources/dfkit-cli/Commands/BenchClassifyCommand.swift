import ArgumentParser
import DFKit

extension BenchCommand {
  /// The command `dfkit bench classify`.
  struct Classify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: """
        Measures the speed of a classifier on face crops, without reading or scaling them.
        """,
      discussion: """
          dfkit bench classify --architecture xception --norm group --batch 8
          dfkit bench classify --norm batch --norm group --batch 1 --batch 8 --json
          dfkit bench classify --norm group --batch 8 --layers --sort time
        """)

    @OptionGroup var networks: BenchNetworkOptions

    @OptionGroup var batches: BatchOptions

    @OptionGroup var layers: LayerOptions

    @OptionGroup var options: Options

    func run() async throws {
      try await Interruption.handled {
        var benchmark = options.benchmark()
        benchmark.layers = layers.order
        var results: [BenchmarkResult] = []
        for settings in networks.settings(otherwise: .batch) {
          for batch in batches.batch {
            results.append(try benchmark.classify(settings, batch: batch))
          }
        }
        try options.print(results)
      }
    }
  }
}
