import ArgumentParser
import DFKit

/// The command `dfkit bench`.
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measures the speed of networks, training and whole predictions on this computer.",
    discussion: """
      The benchmarks of networks and videos print the same columns: milliseconds per image \
      (minimum, quartiles, median and maximum of --repeats runs, after --warm-up runs that do not \
      count), and the peak memory use.

        dfkit bench classify --architecture efficientnet-b4 --norm group --batch 1 --batch 8
        dfkit bench classify --norm group --batch 8 --layers --sort time
        dfkit bench detect --size 960x544 --layers
        dfkit bench video clip.mp4 --weights nets/
        dfkit bench train --architecture efficientnet-b4 --batch 20
        dfkit bench machine
      """,
    subcommands: [
      Classify.self, Detect.self, Video.self, Embed.self, Recurrent.self, Train.self, Copies.self,
      Machine.self,
    ])
}
