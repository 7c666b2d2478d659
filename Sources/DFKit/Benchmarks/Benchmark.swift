import Classifiers
import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO

/// Times networks on random input with random weights. Their outputs mean nothing, but they take as
/// long as trained networks.
package struct Benchmark: Sendable {
  /// The number of timed runs.
  package var repeats: Int
  /// The number of untimed runs before them, which fill caches and memory pools.
  package var warmUps: Int
  /// If set, classifiers and detectors run `repeats` more times to record a `LayerTable`, which
  /// lists its layers in this order. Nil: no such table.
  package var layers: LayerTable.Order?

  /// `repeats` must be above 0 and `warmUps` at least 0.
  package init(repeats: Int = 10, warmUps: Int = 2) {
    precondition(repeats > 0 && warmUps >= 0, "Benchmark: \(repeats) repeats, \(warmUps) before")
    self.repeats = repeats
    self.warmUps = warmUps
  }

  /// Times the forward pass of a classifier on `batch` prepared images. In a cancelled task, throws
  /// `CancellationError` before the next run.
  package func classify(_ settings: ClassifierSettings, batch: Int) throws -> BenchmarkResult {
    let model = ClassifierModel(random: settings, seed: 1)
    var generator = SeededGenerator(seed: 2)
    let side = settings.input.size
    let images = Tensor.uniform(
      shape: [batch, side, side, settings.input.channelCount], in: -2..<2, using: &generator)
    return try measure(
      "classify", settings.architecture.rawValue, norm: settings.norm.kind.rawValue,
      size: .side(side), batch: batch
    ) { _ = model.logits(images) }
  }

  /// Times an embedder from crops of `side` x `side` pixels to embeddings. In a cancelled task,
  /// throws `CancellationError` before the next run.
  package func embed(
    _ embedder: any FaceEmbedder, architecture: String, side: Int, batch: Int
  ) throws -> BenchmarkResult {
    let crops = Self.noise(width: side, height: side, count: batch)
    return try measure(
      "embed", architecture, norm: "batch", size: .side(side), batch: batch
    ) { _ = try embedder.embeddings(crops) }
  }

  private static func noise(width: Int, height: Int, count: Int) -> [Image] {
    var generator = SeededGenerator(seed: 2)
    return (0..<count).map { _ in
      Image(width: width, height: height) { pixels in
        for i in pixels.indices { pixels[i] = UInt8(truncatingIfNeeded: generator.next()) }
      }
    }
  }

  /// Times a RetinaFace detector from frames to faces, at the frames' full size. In a cancelled
  /// task, throws `CancellationError` before the next run.
  package func detect(
    _ backbone: RetinaFaceBackbone, width: Int, height: Int, batch: Int
  ) throws -> BenchmarkResult {
    let detector = RetinaFace(backbone: backbone, seed: 1)
    let frames = Self.noise(width: width, height: height, count: batch)
    return try measure(
      "detect", "retinaface-\(backbone.rawValue)", norm: "batch",
      size: .frame(width: width, height: height), batch: batch
    ) { _ = try detector.detect(frames) }
  }

  /// Times a detector on real frames, `batch` at a time (fewer in the last batch). Use it for
  /// MTCNN, whose work depends on the content of the frames. In a cancelled task, throws
  /// `CancellationError` before the next run.
  package func detect(
    _ detector: any FaceDetector, on frames: [Image], batch: Int
  ) throws -> BenchmarkResult {
    precondition(!frames.isEmpty && batch > 0, "Benchmark: no frames")
    let backbone = (detector as? RetinaFace)?.backbone
    var faces = 0
    var result = try measure(
      "detect", backbone.map { "retinaface-\($0.rawValue)" } ?? "mtcnn",
      norm: backbone == nil ? "none" : "batch",
      size: .frame(width: frames[0].width, height: frames[0].height), batch: batch,
      images: frames.count
    ) {
      faces = 0
      for start in stride(from: 0, to: frames.count, by: batch) {
        let end = min(start + batch, frames.count)
        faces += try detector.detect(Array(frames[start..<end])).reduce(0) { $0 + $1.count }
      }
    }
    result.found = .init(frames: frames.count, faces: faces)
    return result
  }

  /// The frames of files to time detectors on: each image, and 25 evenly spread frames of each
  /// video.
  ///
  /// - Parameter size: The size to scale the frames to; nil keeps their size.
  /// - Throws: `MediaError` if a file cannot be read, `CancellationError` in a cancelled task.
  package static func frames(
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

  /// Times `body`, which processes `images` images in one run (`batch` if nil). In a cancelled
  /// task, throws `CancellationError` before the next run.
  func measure(
    _ work: String, _ architecture: String, norm: String, size: BenchmarkResult.Size, batch: Int,
    images: Int? = nil, _ body: () throws -> Void
  ) throws -> BenchmarkResult {
    let images = images ?? batch
    PeakMemory.restart()
    let seconds = try time(body)
    var result = BenchmarkResult(
      work: work, architecture: architecture, norm: norm, size: size, batch: batch,
      threads: Parallel.threadCount, warmUps: warmUps,
      times: seconds.scaled(by: 1000 / Double(images)), peakBytes: PeakMemory.bytes)
    if let layers {
      let runs = try (0..<repeats).map { _ in
        try Task.checkCancellation()
        var entries: [LayerTimes.Entry] = []
        let seconds = try Self.seconds { entries = try LayerTimes.record(body).entries }
        return (seconds: seconds, entries: entries)
      }
      var table = LayerTable(runs: runs, images: images, machine: .measure(memory: false))
      table.order = layers
      result.layers = table
    }
    return result
  }

  /// The seconds of each timed run of `body`, without the warm-up runs. In a cancelled task, throws
  /// `CancellationError` before the next run.
  func time(_ body: () throws -> Void) throws -> RunTimes {
    for _ in 0..<warmUps {
      try Task.checkCancellation()
      try body()
    }
    return RunTimes(
      try (0..<repeats).map { _ in
        try Task.checkCancellation()
        return try Self.seconds(body)
      })
  }

  private static func seconds(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try body()
    return (ContinuousClock.now - start).seconds
  }
}

/// The largest amount of RAM that this process has used (its peak resident set size).
enum PeakMemory {
  /// The peak in bytes since `restart`; nil on systems other than Linux.
  static var bytes: Int? {
    let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 << 10 }
  }

  static func restart() {
    // On Linux, writing 5 resets the peak. If that fails, the peak is that of the whole process so
    // far.
    try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
  }
}
