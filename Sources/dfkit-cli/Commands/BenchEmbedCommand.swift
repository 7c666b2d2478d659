import ArgumentParser
import DFKit
import Foundation

extension BenchCommand {
  /// The command `dfkit bench embed`.
  struct Embed: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Measures the speed of a face embedder, from crops to embeddings.",
      discussion: """
        Without --embedder, runs dfkit's own network; with --inception, facenet-pytorch's network \
        with random weights.

          dfkit bench embed --batch 1 --batch 16 --threads 1
          dfkit bench embed --inception
        """)

    @OptionGroup var embedder: EmbedderOptions

    @Flag(help: "Run facenet-pytorch's InceptionResnetV1 with random weights.")
    var inception = false

    @Option(help: "The side of the crops in pixels.")
    var size = 200

    @OptionGroup var batches: BatchOptions

    @OptionGroup var layers: LayerOptions

    @OptionGroup var options: Options

    func validate() throws {
      guard (16...4096).contains(size) else {
        throw ValidationError("--size must be 16 to 4096.")
      }
      if inception, embedder.path != nil {
        throw ValidationError("--inception and --embedder cannot be combined.")
      }
    }

    func run() async throws {
      var benchmark = options.benchmark()
      benchmark.layers = layers.order
      let embedder: any FaceEmbedder =
        inception ? InceptionResnetEmbedder(seed: 1) : try FaceEmbedders.load(embedder.file)
      let architecture =
        embedder is InceptionResnetEmbedder
        ? InceptionResnetEmbedder.architecture : LookAlikeEmbedder.architecture
      let ready = benchmark
      try await Interruption.handled {
        try options.print(
          try batches.batch.map {
            try ready.embed(embedder, architecture: architecture, side: size, batch: $0)
          })
      }
    }
  }
}
