import Classifiers
import DeepfakeCore
import Foundation
import MediaIO

extension FingerprintTable {
  /// Number of pictures that one thread measures and embeds at a time.
  static let blockLength = 32

  /// Measures the pictures of a manifest on several threads. Each picture is read and decoded once.
  /// A picture that cannot be read is added to `unreadable` and does not stop the rest.
  ///
  /// - Parameters:
  ///   - embedder: Makes the embeddings; nil makes none.
  ///   - cache: A file that keeps fingerprints between calls; it is created if needed. A picture's
  ///     fingerprint is taken from it if the picture's size and time of change and the embedder's
  ///     name are the same. New fingerprints are written during the work, so stopped work can
  ///     resume.
  ///   - threads: Number of threads; only the time depends on it.
  ///   - progress: Called on the calling thread.
  /// - Throws: `CancellationError` in a cancelled task; errors of the embedder.
  package static func measure(
    _ manifest: FaceManifest, embedder: (any FaceEmbedder)?, cache: URL?,
    threads: Int = Parallel.threadCount, progress: (JobProgress) -> Void = { _ in }
  ) throws -> FingerprintTable {
    precondition(threads > 0, "FingerprintTable: \(threads) threads")
    var table = FingerprintTable(count: manifest.count, embedder: embedder)
    var store = cache.map { FingerprintCache($0, embedder: embedder) }
    store?.load(manifest, into: &table)
    let missing = manifest.table.rows.indices.filter { !table.isKnown[$0] }
    table.cached = manifest.count - missing.count
    let known = table.cached
    func tell(_ done: Int) {
      let all = Double(max(1, manifest.count))
      var state = JobProgress(
        "measuring \(done) of \(manifest.count) pictures", part: Double(done) / all)
      // Cached pictures took no time: the estimate of the remaining time must not count them.
      state.before = Double(known) / all
      progress(state)
    }
    tell(known)
    let measurer = PictureMeasurer(manifest, missing, embedder)
    var options = WorkQueue<Result<[MeasuredPicture], any Error>>.Options(
      "fingerprints", threads: min(threads, max(1, missing.count / blockLength)))
    options.ahead = 4 * options.threads
    // Networks need more stack than the 512 KiB that threads have on some systems.
    options.stackSize = 8 << 20
    let queue = WorkQueue<Result<[MeasuredPicture], any Error>>(measurer.blockCount, options)
    queue.start { _ in
      { block in Result { try measurer.measure(block) { queue.isStopped } } }
    }
    defer {
      queue.stop()
      store?.flush()
    }
    var done = known
    measuring: while true {
      try Task.checkCancellation()
      // Times out regularly to check for cancellation.
      switch queue.next(within: 0.2) {
      case .over: break measuring
      case .notYet: continue
      case .outcome(_, let outcome):
        let results = try outcome.get()
        for result in results {
          switch result.outcome {
          case .success(let print):
            table.set(result.index, print)
            store?.add(print, result.key)
          case .failure(let error):
            table.unreadable.append(Unreadable(index: result.index, error: error))
          }
        }
        done += results.count
        tell(done)
      }
    }
    store?.flush()
    table.cacheProblem = store?.problem
    table.unreadable.sort { $0.index < $1.index }
    return table
  }
}

struct MeasuredPicture: Sendable {
  var index: Int
  var key: PictureKey
  var outcome: Result<Fingerprint, MediaError>
}

/// Measures pictures, block by block.
private struct PictureMeasurer: Sendable {
  private let manifest: FaceManifest
  private let wanted: [Int]
  private let embedder: (any FaceEmbedder)?

  init(_ manifest: FaceManifest, _ wanted: [Int], _ embedder: (any FaceEmbedder)?) {
    self.manifest = manifest
    self.wanted = wanted
    self.embedder = embedder
  }

  var blockCount: Int { wanted.count.dividedRoundingUp(by: FingerprintTable.blockLength) }

  /// Measures the pictures of a block. Empty if `isOver` returns true before the last one.
  func measure(_ block: Int, isOver: () -> Bool) throws -> [MeasuredPicture] {
    let first = block * FingerprintTable.blockLength
    let indices = wanted[first..<min(wanted.count, first + FingerprintTable.blockLength)]
    var pictures: [MeasuredPicture] = []
    var crops: [Image] = []
    for index in indices {
      guard !isOver() else { return [] }
      let path = manifest.table.fullPath(manifest.table.rows[index])
      let url = URL(fileURLWithPath: path, isDirectory: false)
      // Taken before the file is read, so a later change is noticed next time.
      let key = PictureKey(path)
      let outcome = Result { () throws(MediaError) in
        let file = try RegularFile.read(url, limit: ImageFile.byteLimit)
        let image = try ImageFile.read(file, name: url.relativePath)
        if embedder != nil { crops.append(Self.bounded(image)) }
        return Fingerprint(image, file: file)
      }
      pictures.append(MeasuredPicture(index: index, key: key, outcome: outcome))
    }
    if let embedder, !crops.isEmpty {
      let embeddings = try embedder.embeddings(crops)
      precondition(
        embeddings.shape == [crops.count, embedder.dimension],
        "\(embedder.name): embeddings of shape \(embeddings.shape) for \(crops.count) crops")
      Self.add(embeddings, dimension: embedder.dimension, to: &pictures)
    }
    return pictures
  }

  /// Scales a picture down to at most 512 pixels a side, to save memory while the block's other
  /// pictures are read. No embedder uses more pixels.
  private static func bounded(_ image: Image) -> Image {
    let most = 512
    let longest = max(image.width, image.height)
    guard longest > most else { return image }
    return image.resized(
      width: max(1, image.width * most / longest), height: max(1, image.height * most / longest),
      method: .area)
  }

  /// Stores the embeddings, one row for each measured picture, rounded to bytes.
  private static func add(
    _ embeddings: Tensor, dimension: Int, to pictures: inout [MeasuredPicture]
  ) {
    let scale = FingerprintTable.embeddingScale(dimension)
    let scalars = embeddings.scalars
    var row = 0
    for place in pictures.indices {
      guard case .success(var print) = pictures[place].outcome else { continue }
      print.embedding = scalars[row * dimension..<(row + 1) * dimension].map {
        let value = ($0 * scale).rounded()
        return value.isNaN ? 0 : Int8(max(-127, min(127, value)))
      }
      pictures[place].outcome = .success(print)
      row += 1
    }
  }
}
