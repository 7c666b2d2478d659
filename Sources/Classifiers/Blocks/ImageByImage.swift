import DeepfakeCore
import Synchronization

extension Tensor {
  /// The results of `body` for every image of a batch by itself, as a batch again.
  ///
  /// A network's first layers have small weights and large maps, which stay in a core's cache when
  /// one image goes through several layers before the next does. With enough images each thread
  /// takes its own, and no thread waits for another between layers.
  func imageByImage(_ body: @Sendable (Tensor) -> Tensor) -> Tensor {
    let batch = shape[0]
    if batch == 1 { return body(self) }
    let images = (0..<batch).map { slice(axis: 0, $0..<$0 + 1) }
    let threads = Parallel.threadCount
    // As many rounds as there must be, and no thread idle in the last for longer than it worked.
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
