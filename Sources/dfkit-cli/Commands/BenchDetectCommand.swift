import ArgumentParser
import DFKit

extension BenchCommand {
  /// The command `dfkit bench detect`.
  struct Detect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Measures the speed of a face detector, from frame to faces.",
      discussion: """
        Without --frames, RetinaFace runs with random weights on noise: its time does not depend \
        on the picture. MTCNN needs --frames, since its time depends on what the pictures show.

          dfkit bench detect --size 960x544 --batch 1 --layers
          dfkit bench detect --detector mtcnn --frames clip.mp4 --size 960x540 --batch 25
        """)

    @Option(
      help: "The backbone of a RetinaFace with random weights; may be given several times.")
    var backbone: [RetinaFaceBackbone] = []

    @Option(
      parsing: .upToNextOption,
      help: "Images and videos (25 frames of each) to search, with the detector's own weights.",
      completion: .file())
    var frames: [String] = []

    @Option(
      help: """
        Width and height of the frames in pixels, such as 960x544, which is the default without \
        --frames. The frames of --frames are scaled to this size.
        """)
    var size: FrameDimensions?

    @OptionGroup(title: "Face detection") var detector: DetectorOptions

    @OptionGroup var batches: BatchOptions

    @OptionGroup var layers: LayerOptions

    @OptionGroup var options: Options

    func validate() throws {
      if frames.isEmpty && detector.isGiven {
        throw ValidationError(
          """
          Give --frames: the options of face detection apply only to real frames, and MTCNN's time \
          depends on what they show.
          """)
      }
      if !frames.isEmpty && !backbone.isEmpty {
        throw ValidationError(
          "--backbone is for random weights; with --frames, the detector's own are used.")
      }
    }

    func run() async throws {
      if !frames.isEmpty { return try await timeOnFrames() }
      let size = size ?? FrameDimensions(width: 960, height: 544)
      try await Interruption.handled {
        let benchmark = benchmark()
        var results: [BenchmarkResult] = []
        for backbone in backbone.isEmpty ? [.mobileNet] : backbone {
          for batch in batches.batch {
            results.append(
              try benchmark.detect(
                backbone, width: size.width, height: size.height, batch: batch))
          }
        }
        try options.print(results)
      }
    }

    private func benchmark() -> Benchmark {
      var benchmark = options.benchmark()
      benchmark.layers = layers.order
      return benchmark
    }

    private func timeOnFrames() async throws {
      var settings = Recipe.Detector()
      settings.frameScale = 1
      let loaded = try detector.choice(for: settings, quiet: options.json).load()
      let files = InputOptions.files(frames, [.image, .video])
      try await Interruption.handled {
        let pictures = try Benchmark.frames(files, size: size.map { ($0.width, $0.height) })
        let benchmark = benchmark()
        try options.print(
          try batches.batch.map { try benchmark.detect(loaded, on: pictures, batch: $0) })
      }
    }
  }
}
