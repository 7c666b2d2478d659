import ArgumentParser
import DFKit

extension BenchCommand {
  /// The command `dfkit bench lstm`.
  struct Recurrent: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "lstm",
      abstract: "Measures the speed of an LSTM on sequences of features, with random weights.",
      discussion: """
        An 'image' of the table is one sequence, and its size is steps x features.

          dfkit bench lstm --features 2304 --hidden 512 --levels 2 --steps 25 --batch 1
          dfkit bench lstm --one-direction --batch 1 --batch 8 --json
        """)

    @Option(help: "Number of input features of a step.")
    var features = 2304

    @Option(help: "Number of outputs of each direction.")
    var hidden = 512

    @Option(help: "Number of levels; each reads the outputs of the level before.")
    var levels = 2

    @Option(help: "Number of steps of a sequence.")
    var steps = 25

    @Flag(help: "Read the sequences forward only, not also in reverse.")
    var oneDirection = false

    @OptionGroup var batches: BatchOptions

    @OptionGroup var options: Options

    func validate() throws {
      for (name, value, most) in [
        ("features", features, 65_536), ("hidden", hidden, 8192), ("levels", levels, 16),
        ("steps", steps, 4096),
      ] where !(1...most).contains(value) {
        throw ValidationError("--\(name) must be 1 to \(most).")
      }
    }

    func run() async throws {
      var settings = Benchmark.LSTMSettings()
      settings.features = features
      settings.hidden = hidden
      settings.levels = levels
      settings.steps = steps
      settings.isBidirectional = !oneDirection
      let ready = settings
      try await Interruption.handled {
        let benchmark = options.benchmark()
        try options.print(
          try batches.batch.map { try benchmark.lstm(ready, batch: $0) })
      }
    }
  }
}
