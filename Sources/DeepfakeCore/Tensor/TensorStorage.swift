/// The memory of one or more tensors: 64-byte aligned floats from the pool, or floats of another
/// owner, such as a memory-mapped weights file.
///
/// It is written only while a single tensor refers to it, which `Tensor` ensures; hence
/// `@unchecked Sendable`.
final class TensorStorage: @unchecked Sendable {
  let pointer: UnsafeMutablePointer<Float>
  let count: Int
  private let capacity: Int
  private let owner: AnyObject?

  /// Creates uninitialised storage for `count` floats.
  init(count: Int) {
    self.count = count
    capacity = BufferPool.capacity(for: count)
    pointer = BufferPool.shared.take(capacity: capacity)
    owner = nil
  }

  /// Creates storage over read-only floats, which `owner` keeps alive.
  init(borrowing floats: UnsafePointer<Float>, count: Int, owner: AnyObject) {
    self.count = count
    self.owner = owner
    capacity = 0
    pointer = UnsafeMutablePointer(mutating: floats)
  }

  var isBorrowed: Bool { owner != nil }

  deinit {
    if owner == nil { BufferPool.shared.give(pointer, capacity: capacity) }
  }
}
