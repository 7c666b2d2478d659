import ArgumentParser
import DFKit

extension BenchCommand {
  struct Train: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: """
        Measures the speed of training steps (forward, backward, Adam) on prepared images.
        """,
      discussion: """
          dfkit bench train --architecture efficientnet-b4 --size 224 --batch 20 --repeats 3
          dfkit bench train --architecture efficientnet-b0 --batch 20 --calls --json
        """)

    @OptionGroup var networks: BenchNetworkOptions

    @Flag(help: "Recompute the activations of blocks in the backward pass instead of keeping them.")
    var recompute = false

    @Flag(help: "Run one more step and list how its time is spent.")
    var calls = false

    @OptionGroup var batches: BatchOptions

    @OptionGroup var options: Options

    func run() async throws {
      try await Interruption.handled {
        let benchmark = options.benchmark()
        var results: [BenchmarkResult] = []
        for settings in networks.settings(otherwise: .group) {
          for batch in batches.batch {
            results.append(
              try benchmark.train(settings, batch: batch, recompute: recompute, listsCalls: calls))
            TensorMemory.releaseUnused()
          }
        }
        try options.print(results)
      }
    }
  }
}
