import Synchronization

/// A pool of freed buffers for floats. After the first inference or training step, later steps
/// allocate no memory from the system.
///
/// Small buffers are kept by size. Sizes are rounded up to one of eight steps for each power of
/// two: this wastes at most an eighth, and the buffers for one image fit the next one exactly.
/// Large buffers come from an arena.
/// from an arena.
final class BufferPool: Sendable {
  static let shared = BufferPool()

  /// The most bytes of freed small buffers to keep; further buffers are returned to the system.
  static let retainedByteLimit = 1 << 28

  /// The number of floats from which on a buffer is large.
  private static let leastLarge = 1 << 14

  // A buffer in the list is used by nobody else, so passing it on under the lock is safe.
  private struct Guarded: @unchecked Sendable {
    var free: [Int: [UnsafeMutablePointer<Float>]] = [:]
    var retainedBytes = 0
    var allocatedBytes = 0
    var arena = Arena()
  }

  private let state = Mutex(Guarded())

  /// The number of floats in the buffer for a request of `count`.
  static func capacity(for count: Int) -> Int {
    guard count > 64 else { return 64 }
    let stride = MemoryLayout<Float>.stride
    guard count < leastLarge else { return Arena.size(for: count * stride) / stride }
    let step = max(16, (1 << (Int.bitWidth - count.leadingZeroBitCount - 1)) / 8)
    return count.dividedRoundingUp(by: step) * step
  }

  /// Uninitialised memory for `capacity` floats, 64-byte aligned.
  func take(capacity: Int) -> UnsafeMutablePointer<Float> {
    let bytes = capacity * MemoryLayout<Float>.stride
    let kept = state.withLock { state -> UnsafeMutablePointer<Float>? in
      if capacity >= Self.leastLarge {
        return state.arena.take(bytes).bindMemory(to: Float.self, capacity: capacity)
      }
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
      if capacity >= Self.leastLarge {
        state.arena.give(buffer, bytes)
        return true
      }
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

  /// The bytes allocated from the system, and the part of them that is kept for reuse.
  var usage: (allocated: Int, retained: Int) {
    state.withLock {
      let retained = $0.retainedBytes + $0.arena.keptBytes
      return ($0.allocatedBytes + $0.arena.usedBytes + $0.arena.keptBytes, retained)
    }
  }

  /// Returns all kept memory to the system.
  func drain() {
    let buffers = state.withLock { state -> [UnsafeMutablePointer<Float>] in
      let all = state.free.values.flatMap { $0 }
      state.allocatedBytes -= state.retainedBytes
      state.retainedBytes = 0
      state.free = [:]
      state.arena.releaseFree()
      return all
    }
    for buffer in buffers { UnsafeMutableRawPointer(buffer).deallocate() }
  }
}
