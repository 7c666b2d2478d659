import ArgumentParser
import DFKit
import Foundation

extension BenchCommand {
  struct Copies: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Plants copies in artificial datasets and measures how many the search finds.",
      discussion: """
        Each dataset is written to the temporary folder and removed afterwards. A crop takes about \
        8 kB.

          dfkit bench copies --count 12500 --count 25000 --count 50000 --count 100000
          dfkit bench copies --count 5000 --pictures FOLDER --json
        """)

    @Option(help: "Number of crops in a dataset; may be given several times.")
    var count: [Int] = [12_500]

    @Option(
      help: """
        Plant copies of the pictures in this folder, each of a different person, instead of \
        generated pictures. A dataset then has at most as many crops as the folder has pictures, \
        plus the copies.
        """, completion: .directory)
    var pictures: String?

    @Option(
      help: """
        Search a table that is this many times as large: it repeats the measured pictures, each \
        time changed so that the repetitions are unlike each other.
        """)
    var times = 1

    @Option(help: "Random seed; the same seed gives the same pictures and copies.")
    var seed: UInt64 = 1

    @OptionGroup var options: Options

    func validate() throws {
      guard count.allSatisfy({ (100...10_000_000).contains($0) }) else {
        throw ValidationError("--count must be 100 to 10000000.")
      }
      guard (1...1000).contains(times) else {
        throw ValidationError("--times must be 1 to 1000.")
      }
    }

    func run() async throws {
      options.threads.apply()
      var benchmark = CopyBenchmark()
      benchmark.repeats = options.repeats ?? 1
      benchmark.warmUps = options.warmUp ?? 0
      benchmark.seed = seed
      benchmark.times = times
      if let pictures {
        let files = InputOptions.files([pictures], [.image])
        if let problem = files.problems.first { throw problem }
        benchmark.pictures = files.files
      }
      let ready = benchmark
      try await Interruption.handled {
        let results = try count.map { try ready.run(count: $0) }
        try options.json
          ? Output.write(JSON.array(results.map(\.json)).text + "\n") : Output.show(results.table)
      }
    }
  }
}
