import Classifiers
import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO

/// Times networks on made-up input with weights from a seed: what they say means nothing, how long
/// it takes is the same as with trained ones.
package struct Benchmark: Sendable {
  /// Runs that count.
  package var repeats: Int
  /// Runs before them, that fill caches and memory pools.
  package var warmUps: Int
  /// Whether classifiers and detectors run as often once more for a `LayerTable`, and in which
  /// order it lists them.
  package var layers: LayerTable.Order?

  /// A benchmark.
  package init(repeats: Int = 10, warmUps: Int = 2) {
    precondition(repeats > 0 && warmUps >= 0, "Benchmark: \(repeats) repeats, \(warmUps) before")
    self.repeats = repeats
    self.warmUps = warmUps
  }

  /// Times a classifier's pass over `batch` prepared images. Stops early in a cancelled task.
  package func classify(_ settings: ClassifierSettings, batch: Int) throws -> BenchmarkResult {
    let model = ClassifierModel(random: settings, seed: 1)
    var generator = SeededGenerator(seed: 2)
    let side = settings.input.size
    let images = Tensor.uniform(shape: [batch, side, side, 3], in: -2..<2, using: &generator)
    return try measure(
      "classify", settings.architecture.rawValue, norm: settings.norm.kind.rawValue,
      size: .side(side), batch: batch
    ) { _ = model.logits(images) }
  }

  /// Times an embedder from crops of `side` pixels to embeddings. Stops early in a cancelled task.
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

  /// Times a detector from frames to faces, at the frames' full size. Stops early in a cancelled
  /// task.
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

  /// Times a detector on frames, `batch` at a time (fewer in the last batch): for MTCNN, whose work
  /// depends on what they show. Stops early in a cancelled task.
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

  /// The frames of files to time detectors on: images, and 25 frames of each video, evenly spread.
  ///
  /// - Parameter size: what they are scaled to; nil leaves them as they are.
  /// - Throws: `MediaError` where a file cannot be read.
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

  /// Times `body`, which works on `images` images (`batch` if not given). Stops early in a
  /// cancelled task.
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

  /// The seconds of each run that counts. Stops early in a cancelled task.
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

/// The most memory that this process had in RAM.
enum PeakMemory {
  /// Bytes since `restart`; nil where there is no Linux to tell.
  static var bytes: Int? {
    let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 << 10 }
  }

  static func restart() {
    // Linux: 5 resets the peak. Where that is not possible the peak stays what it was.
    try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
  }
}
