import CDFKernels

/// The thread pool of the process.
public enum Parallel {
  /// The number of threads that work on one call, including the calling thread; 1 to 256. Results
  /// never depend on it.
  public static var threadCount: Int {
    get { Int(df_thread_count()) }
    set { df_set_thread_count(Int32(clamping: newValue)) }
  }

  /// The fraction of the pool's threads that a call from this thread can use: one thread inside
  /// `forEach` and on threads that keep their work (`keepToThisThread`), otherwise 1.
  static var usableShare: Double { df_is_kept_to_thread() ? 1 / Double(threadCount) : 1 }

  /// Keeps all work of the calling thread on this thread from now on. Use it for threads that
  /// prepare data while other threads compute.
  package static func keepToThisThread() { df_keep_to_thread(true) }

  /// Calls `body` once for every index in `0..<count`, in any order, on several threads.
  public static func forEach(_ count: Int, _ body: @Sendable (Int) -> Void) {
    guard let times = LayerTimes.current else { return spread(count, body) }
    spread(count) { index in LayerTimes.recorded(by: times) { body(index) } }
  }

  private static func spread(_ count: Int, _ body: @Sendable (Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      withUnsafePointer(to: body) { pointer in
        df_parallel_for(
          count,
          { context, index in
            context?.assumingMemoryBound(to: (@Sendable (Int) -> Void).self).pointee(index)
          }, UnsafeMutableRawPointer(mutating: pointer))
      }
    }
  }

  /// The results of `body` for every index in `0..<count`, in order. The calls run on several
  /// threads.
  package static func map<T: Sendable>(_ count: Int, _ body: @Sendable (Int) -> T) -> [T] {
    [T](unsafeUninitializedCapacity: count) { buffer, initialized in
      nonisolated(unsafe) let results = buffer
      forEach(count) { results.initializeElement(at: $0, to: body($0)) }
      initialized = count
    }
  }
}
