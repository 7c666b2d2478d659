import DeepfakeCore
import Synchronization

extension Tensor {
  /// Applies `body` to each image of the batch separately and concatenates the results into a
  /// batch.
  ///
  /// A network's first layers have small weights and large maps. One image's maps stay in a core's
  /// cache if the image passes through several layers before the next image starts. With enough
  /// images, each thread processes its own images and no thread waits for another between layers.
  func imageByImage(_ body: @Sendable (Tensor) -> Tensor) -> Tensor {
    let batch = shape[0]
    if batch == 1 { return body(self) }
    let images = (0..<batch).map { slice(axis: 0, $0..<$0 + 1) }
    let threads = Parallel.threadCount
    // One thread per image pays if few threads are idle in the last round: the batch is a multiple
    // of the thread count, or larger than four times it. Otherwise the images run one after
    // another.
    guard batch % threads == 0 || batch > 4 * threads else {
      return .concatenated(images.map(body), axis: 0)
    }
    let results = Mutex([Int: Tensor]())
    Parallel.forEach(batch) { i in
      let result = body(images[i])
      results.withLock { $0[i] = result }
    }
    let done = results.withLock { $0 }
    return .concatenated((0..<batch).compactMap { done[$0] }, axis: 0)
  }
}
