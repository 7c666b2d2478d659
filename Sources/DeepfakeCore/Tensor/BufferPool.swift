import Synchronization

/// Keeps freed float buffers by size, so that a warm inference takes no memory from the system.
///
/// Sizes are rounded up to one of eight steps per power of two, which bounds waste to an eighth and
/// makes buffers of one network fit the next image exactly.
final class BufferPool: Sendable {
  static let shared = BufferPool()

  /// Freed bytes kept for reuse; beyond this, buffers go back to the system.
  static let retainedByteLimit = 1 << 30

  // A buffer in the list belongs to the pool alone, so handing it over under the lock is safe.
  private struct Guarded: @unchecked Sendable {
    var free: [Int: [UnsafeMutablePointer<Float>]] = [:]
    var retainedBytes = 0
    var allocatedBytes = 0
  }

  private let state = Mutex(Guarded())

  /// The number of floats that a request for `count` is rounded up to.
  static func capacity(for count: Int) -> Int {
    guard count > 64 else { return 64 }
    let step = max(16, (1 << (Int.bitWidth - count.leadingZeroBitCount - 1)) / 8)
    return (count + step - 1) / step * step
  }

  /// Uninitialised memory for `capacity` floats, 64-byte aligned.
  func take(capacity: Int) -> UnsafeMutablePointer<Float> {
    let bytes = capacity * MemoryLayout<Float>.stride
    let kept = state.withLock { state -> UnsafeMutablePointer<Float>? in
      guard let buffer = state.free[capacity]?.popLast() else {
        state.allocatedBytes += bytes
        return nil
      }
      state.retainedBytes -= bytes
      return buffer
    }
    if let kept { return kept }
    let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    return raw.bindMemory(to: Float.self, capacity: capacity)
  }

  func give(_ buffer: UnsafeMutablePointer<Float>, capacity: Int) {
    let bytes = capacity * MemoryLayout<Float>.stride
    let kept = state.withLock { state -> Bool in
      guard state.retainedBytes + bytes <= Self.retainedByteLimit else {
        state.allocatedBytes -= bytes
        return false
      }
      state.free[capacity, default: []].append(buffer)
      state.retainedBytes += bytes
      return true
    }
    if !kept { UnsafeMutableRawPointer(buffer).deallocate() }
  }

  /// Bytes taken from the system, and those of them that are kept for reuse.
  var usage: (allocated: Int, retained: Int) {
    state.withLock { ($0.allocatedBytes, $0.retainedBytes) }
  }

  /// Returns every kept buffer to the system.
  func drain() {
    let buffers = state.withLock { state -> [UnsafeMutablePointer<Float>] in
      let all = state.free.values.flatMap { $0 }
      state.allocatedBytes -= state.retainedBytes
      state.retainedBytes = 0
      state.free = [:]
      return all
    }
    for buffer in buffers { UnsafeMutableRawPointer(buffer).deallocate() }
  }
}
