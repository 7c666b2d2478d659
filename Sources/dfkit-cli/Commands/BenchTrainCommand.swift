import ArgumentParser
import DFKit

extension BenchCommand {
  struct Train: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Times whole training steps: forward, backward, Adam; on prepared images.",
      discussion: """
          dfkit bench train --architecture efficientnet-b4 --size 224 --batch 20 --repeats 3
          dfkit bench train --architecture efficientnet-b0 --batch 20 --calls --json
        """)

    @Option(help: "The network; may be given several times.")
    var architecture: [Architecture] = [.efficientNetB4]

    @Option(help: "The norm; may be given several times.")
    var norm: [ClassifierOptions.NormKind] = [.group]

    @Option(help: "The side of the input in pixels; the architecture's own if not given.")
    var size: Int?

    @Flag(help: "Compute blocks' activations once more in backward instead of keeping them.")
    var recompute = false

    @Flag(help: "Take one more step and list where its time goes.")
    var calls = false

    @OptionGroup var options: Options

    func validate() throws {
      if let size, !(32...4096).contains(size) {
        throw ValidationError("--size must be 32 to 4096.")
      }
    }

    func run() async throws {
      options.threads.apply()
      try await Interruption.handled {
        let benchmark = Benchmark(repeats: options.repeats)
        var results: [BenchmarkResult] = []
        for architecture in architecture {
          for norm in norm {
            var settings = ClassifierSettings(architecture, norm: norm == .group ? .group : nil)
            if let size { settings.input.size = size }
            for batch in options.batch {
              results.append(
                try benchmark.train(
                  settings, batch: batch, recompute: recompute, listsCalls: calls))
              TensorMemory.releaseUnused()
            }
          }
        }
        try options.print(results)
        if calls && !options.json {
          for result in results { try Output.write("\n" + result.callTable + "\n") }
        }
      }
    }
  }
}
