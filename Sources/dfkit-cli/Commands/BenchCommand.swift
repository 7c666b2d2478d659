import ArgumentParser
import DFKit

/// The command `dfkit bench`.
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Times networks, training and whole predictions on this computer.",
    discussion: """
      All print the same columns: milliseconds an image, the least, the quartiles, the median and \
      the most of --repeats runs after --warm-up others, and the most memory in RAM meanwhile.

        dfkit bench classify --architecture efficientnet-b4 --norm group --batch 1 --batch 8
        dfkit bench classify --norm group --batch 8 --layers --sort time
        dfkit bench detect --size 960x544 --layers
        dfkit bench video clip.mp4 --weights nets/
        dfkit bench train --architecture efficientnet-b4 --batch 20
        dfkit bench machine
      """,
    subcommands: [
      Classify.self, Detect.self, Video.self, Embed.self, Train.self, Copies.self, Machine.self,
    ])
}
