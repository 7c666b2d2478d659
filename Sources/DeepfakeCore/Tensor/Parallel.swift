import CDFKernels

/// The process's thread pool.
public enum Parallel {
  /// Threads that work on one call, the caller included; 1 to 256. Results never depend on it.
  public static var threadCount: Int {
    get { Int(df_thread_count()) }
    set { df_set_thread_count(Int32(clamping: newValue)) }
  }

  /// The part of the pool's threads that a call from the calling thread has: one thread's inside
  /// `forEach` and where work is kept to the thread, else 1.
  static var usableShare: Double { df_is_kept_to_thread() ? 1 / Double(threadCount) : 1 }

  /// Keeps all work that the calling thread asks for on that thread from now on: for threads that
  /// prepare data beside those that compute.
  package static func keepToThisThread() { df_keep_to_thread(true) }

  /// Calls `body` once for every index in `0..<count`, in no fixed order, on several threads.
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

  /// What `body` makes of every index in `0..<count`, in order.
  package static func map<T: Sendable>(_ count: Int, _ body: @Sendable (Int) -> T) -> [T] {
    [T](unsafeUninitializedCapacity: count) { buffer, initialized in
      nonisolated(unsafe) let results = buffer
      forEach(count) { results.initializeElement(at: $0, to: body($0)) }
      initialized = count
    }
  }
}
