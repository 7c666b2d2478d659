import Classifiers
import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO

/// How long one piece of work took, over several runs.
public struct BenchmarkResult: Sendable, Equatable {
  /// `classify`, `detect`, `embed` or `train`.
  public var work: String
  /// The network.
  public var architecture: String
  /// The network's norm: `batch`, `group` or `none`.
  public var norm: String
  /// The input: the side of a square, or width and height.
  public var size: Size
  /// Images at once.
  public var batch: Int
  /// Threads.
  public var threads: Int
  /// Milliseconds for one image in each run, in order.
  public var runs: [Double]
  /// Of detection on frames that were given: how many there were, and faces found in them.
  public var found: Found?
  /// Of training: the most memory that the process had in RAM, in bytes.
  public var peakBytes: Int?
  /// Of training, where asked for: where a step's time went, longest first.
  public var calls: [Calls] = []

  /// Frames searched in a run and faces found in them.
  public struct Found: Sendable, Equatable {
    /// Frames.
    public var frames: Int
    /// Faces in all of them.
    public var faces: Int
  }

  /// A result.
  public init(
    work: String, architecture: String, norm: String, size: Size, batch: Int, threads: Int,
    runs: [Double], found: Found? = nil
  ) {
    self.work = work
    self.architecture = architecture
    self.norm = norm
    self.size = size
    self.batch = batch
    self.threads = threads
    self.runs = runs
    self.found = found
  }

  /// The size of the images.
  public enum Size: Sendable, Equatable {
    /// A square.
    case side(Int)
    /// A frame.
    case frame(width: Int, height: Int)

    /// The size for people.
    public var text: String {
      switch self {
      case .side(let side): "\(side)"
      case .frame(let width, let height): "\(width)x\(height)"
      }
    }
  }

  /// The shortest run.
  public var min: Double { runs.min() ?? 0 }
  /// The longest run.
  public var max: Double { runs.max() ?? 0 }
  /// The run in the middle; of an even number, the mean of the two there.
  public var median: Double {
    guard !runs.isEmpty else { return 0 }
    let sorted = runs.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  /// The result as `dfkit bench --json` prints it (see `Docs/Formats.md`).
  public var json: JSON {
    func milliseconds(_ value: Double) -> JSON { .double((value * 1000).rounded() / 1000) }
    let size: JSON =
      switch size {
      case .side(let side): .integer(side)
      case .frame: .string(self.size.text)
      }
    return .object(
      [
        .init(key: "work", value: .string(work)),
        .init(key: "architecture", value: .string(architecture)),
        .init(key: "norm", value: .string(norm)), .init(key: "size", value: size),
        .init(key: "batch", value: .integer(batch)),
        .init(key: "threads", value: .integer(threads)),
        .init(
          key: "millisecondsPerImage",
          value: [
            "min": milliseconds(min), "median": milliseconds(median), "max": milliseconds(max),
          ]),
      ]
        + (found.map {
          [
            .init(key: "frames", value: .integer($0.frames)),
            .init(key: "faces", value: .integer($0.faces)),
          ]
        } ?? [])
        + (peakBytes.map { [.init(key: "peakBytes", value: .integer($0))] } ?? [])
        + (calls.isEmpty ? [] : [.init(key: "calls", value: .array(calls.map(\.json)))]))
  }
}

extension [BenchmarkResult] {
  /// The table that `dfkit bench` shows.
  public var table: String {
    let hasPeak = contains { $0.peakBytes != nil }
    var table = TextTable(
      [
        .init("work"), .init("architecture"), .init("norm"), .init("size", .right),
        .init("batch", .right), .init("threads", .right), .init("ms/image min", .right),
        .init("median", .right), .init("max", .right),
      ] + (hasPeak ? [.init("peak MB", .right)] : []))
    for result in self {
      let peak = result.peakBytes.map { (Double($0) / 1e6).fixed(0) } ?? ""
      table.add(
        [
          result.work, result.architecture, result.norm, result.size.text, "\(result.batch)",
          "\(result.threads)", result.min.fixed(2), result.median.fixed(2), result.max.fixed(2),
        ] + (hasPeak ? [peak] : []))
    }
    return table.text
  }
}

/// Times networks on made-up input with weights from a seed: what they say means nothing, how long it
/// takes is the same as with trained ones.
public struct Benchmark: Sendable {
  /// Runs that count.
  public var repeats = 10
  /// Runs before them, that fill caches and memory pools.
  public var warmUps = 2

  /// A benchmark.
  public init(repeats: Int = 10) {
    precondition(repeats > 0, "Benchmark: \(repeats) repeats")
    self.repeats = repeats
  }

  /// Times a classifier's pass over `batch` prepared images. Stops early in a cancelled task.
  public func classify(_ settings: ClassifierSettings, batch: Int) throws -> BenchmarkResult {
    let model = ClassifierModel(random: settings, seed: 1)
    var generator = SeededGenerator(seed: 2)
    let side = settings.input.size
    let images = Tensor.uniform(shape: [batch, side, side, 3], in: -2..<2, using: &generator)
    let runs = try time(images: batch) { _ = model.logits(images) }
    return BenchmarkResult(
      work: "classify", architecture: settings.architecture.rawValue,
      norm: settings.norm.kind.rawValue, size: .side(side), batch: batch,
      threads: Parallel.threadCount, runs: runs)
  }

  /// Times an embedder from crops of `side` pixels to embeddings. Stops early in a cancelled task.
  public func embed(
    _ embedder: any FaceEmbedder, architecture: String, side: Int, batch: Int
  ) throws -> BenchmarkResult {
    let crops = Self.noise(width: side, height: side, count: batch)
    let runs = try time(images: batch) { _ = try embedder.embeddings(crops) }
    return BenchmarkResult(
      work: "embed", architecture: architecture, norm: "batch", size: .side(side), batch: batch,
      threads: Parallel.threadCount, runs: runs)
  }

  private static func noise(width: Int, height: Int, count: Int) -> [Image] {
    var generator = SeededGenerator(seed: 2)
    return (0..<count).map { _ in
      Image(width: width, height: height) { pixels in
        for i in pixels.indices { pixels[i] = UInt8(truncatingIfNeeded: generator.next()) }
      }
    }
  }

  /// Times a detector from frames to faces, at the frames' full size. Stops early in a cancelled task.
  public func detect(
    _ backbone: RetinaFaceBackbone, width: Int, height: Int, batch: Int
  ) throws -> BenchmarkResult {
    let detector = RetinaFace(backbone: backbone, seed: 1)
    let frames = Self.noise(width: width, height: height, count: batch)
    let runs = try time(images: batch) { _ = try detector.detect(frames) }
    return BenchmarkResult(
      work: "detect", architecture: "retinaface-\(backbone.rawValue)", norm: "batch",
      size: .frame(width: width, height: height), batch: batch, threads: Parallel.threadCount,
      runs: runs)
  }

  /// Times a detector on frames, `batch` at a time (fewer in the last batch): for MTCNN, whose work depends
  /// on what they show. Stops early in a cancelled task.
  public func detect(
    _ detector: any FaceDetector, on frames: [Image], batch: Int
  ) throws -> BenchmarkResult {
    precondition(!frames.isEmpty && batch > 0, "Benchmark: no frames")
    var faces = 0
    let runs = try time(images: frames.count) {
      faces = 0
      for start in stride(from: 0, to: frames.count, by: batch) {
        let end = Swift.min(start + batch, frames.count)
        faces += try detector.detect(Array(frames[start..<end])).reduce(0) { $0 + $1.count }
      }
    }
    let backbone = (detector as? RetinaFace)?.backbone
    return BenchmarkResult(
      work: "detect", architecture: backbone.map { "retinaface-\($0.rawValue)" } ?? "mtcnn",
      norm: backbone == nil ? "none" : "batch",
      size: .frame(width: frames[0].width, height: frames[0].height), batch: batch,
      threads: Parallel.threadCount, runs: runs, found: .init(frames: frames.count, faces: faces))
  }

  /// The frames of files to time detectors on: images, and 25 frames of each video, evenly spread.
  ///
  /// - Parameter size: what they are scaled to; nil leaves them as they are.
  /// - Throws: `MediaError` where a file cannot be read.
  public static func frames(
    _ files: MediaFiles, size: (width: Int, height: Int)? = nil
  ) throws -> [Image] {
    if let problem = files.problems.first { throw problem }
    var frames: [Image] = []
    for file in files.files {
      _ = try MediaFrame.read(file, .spread(25)) { frame in
        try Task.checkCancellation()
        frames.append(
          size.map { frame.image.resized(width: $0.width, height: $0.height, method: .area) }
            ?? frame.image)
      }
    }
    return frames
  }

  func time(images: Int, _ body: () throws -> Void) throws -> [Double] {
    for _ in 0..<warmUps { try body() }
    return try (0..<repeats).map { _ in
      try Task.checkCancellation()
      let start = ContinuousClock.now
      try body()
      return (ContinuousClock.now - start).seconds * 1000 / Double(images)
    }
  }
}
