import ArgumentParser
import DFKit

/// `dfkit bench`
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract:
      "Times networks on this computer, with made-up weights and pictures; and the search for copies.",
    subcommands: [Classify.self, Detect.self, Embed.self, Train.self, Copies.self])

  struct Options: ParsableArguments {
    @Option(help: "Images at once; may be given several times.")
    var batch: [Int] = [1]

    @Option(help: "Runs that count, after two that do not.")
    var repeats = 10

    @OptionGroup var threads: ThreadOptions

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
      guard batch.allSatisfy({ (1...256).contains($0) }) else {
        throw ValidationError("--batch must be 1 to 256.")
      }
      guard (1...10_000).contains(repeats) else {
        throw ValidationError("--repeats must be 1 to 10000.")
      }
    }

    func print(_ results: [BenchmarkResult]) throws {
      try Output.write((json ? JSON.array(results.map(\.json)).text : results.table) + "\n")
    }
  }

  struct Classify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Times a network that judges face crops, without reading or scaling them.",
      discussion: """
          dfkit bench classify --architecture xception --norm group --batch 8
          dfkit bench classify --norm batch --norm group --batch 1 --batch 8 --json
        """)

    @OptionGroup var networks: BenchNetworkOptions

    @OptionGroup var options: Options

    func run() async throws {
      options.threads.apply()
      try await Interruption.handled {
        let benchmark = Benchmark(repeats: options.repeats)
        var results: [BenchmarkResult] = []
        for settings in networks.settings(otherwise: .batch) {
          for batch in options.batch {
            results.append(try benchmark.classify(settings, batch: batch))
          }
        }
        try options.print(results)
      }
    }
  }

  struct Detect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Times a face detector, from frame to faces.",
      discussion: """
        Without --frames, RetinaFace is timed with made-up weights on noise: its work is the same on \
        every picture. MTCNN's depends on what the pictures show.

          dfkit bench detect --size 960x544 --batch 1 --json
          dfkit bench detect --detector mtcnn --frames clip.mp4 --size 960x540 --batch 25
        """)

    @Option(
      help: "The backbone of a RetinaFace with made-up weights; may be given several times.")
    var backbone: [RetinaFaceBackbone] = []

    @Option(
      parsing: .upToNextOption,
      help: "Images and videos (25 frames of each) to search, with the detector's real weights.",
      completion: .file())
    var frames: [String] = []

    @Option(
      help: """
        Width and height of the frames in pixels, as in 960x544, which is the default for made-up ones. \
        Those of --frames are scaled to it.
        """)
    var size: FrameDimensions?

    @OptionGroup(title: "Face detection") var detector: DetectorOptions

    @OptionGroup var options: Options

    func validate() throws {
      if frames.isEmpty && detector.isGiven {
        throw ValidationError(
          """
          Give --frames: the options of face detection are for searching real frames, and MTCNN's time \
          depends on what they show.
          """)
      }
      if !frames.isEmpty && !backbone.isEmpty {
        throw ValidationError(
          "--backbone is for made-up weights; with --frames, real ones are used.")
      }
    }

    func run() async throws {
      options.threads.apply()
      if !frames.isEmpty { return try await timeOnFrames() }
      let size = size ?? FrameDimensions(width: 960, height: 544)
      try await Interruption.handled {
        let benchmark = Benchmark(repeats: options.repeats)
        var results: [BenchmarkResult] = []
        for backbone in backbone.isEmpty ? [.mobileNet] : backbone {
          for batch in options.batch {
            results.append(
              try benchmark.detect(
                backbone, width: size.width, height: size.height, batch: batch))
          }
        }
        try options.print(results)
      }
    }

    private func timeOnFrames() async throws {
      var settings = Recipe.Detector()
      settings.frameScale = 1
      settings.kind = try detector.kindAtHand(otherwise: settings.kind)
      settings = try detector.applied(to: settings)
      let loaded = try settings.load(try detector.weights(of: settings))
      let files = MediaFiles.expand(frames, kinds: [.image, .video])
      try await Interruption.handled {
        let pictures = try Benchmark.frames(files, size: size.map { ($0.width, $0.height) })
        let benchmark = Benchmark(repeats: options.repeats)
        try options.print(
          try options.batch.map { try benchmark.detect(loaded, on: pictures, batch: $0) })
      }
    }
  }
}
