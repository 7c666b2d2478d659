/// The memory that tensors use, for programs that monitor it.
package enum TensorMemory {
  /// The bytes that were allocated from the system and not returned: for tensors, or kept for later
  /// ones. Mapped weights are not counted.
  package static var allocatedBytes: Int { BufferPool.shared.usage.allocated }

  /// The part of `allocatedBytes` that is kept for later tensors.
  package static var retainedBytes: Int { BufferPool.shared.usage.retained }

  /// Returns the kept memory to the system. Call it after building a network: packing the weights
  /// frees buffers that no later tensor fits.
  package static func releaseUnused() { BufferPool.shared.drain() }
}
