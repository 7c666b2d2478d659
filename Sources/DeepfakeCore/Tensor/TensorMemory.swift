/// The memory that tensors take from the system, for programs that watch it.
package enum TensorMemory {
  /// Bytes taken from the system and not given back: in tensors, or kept for the next ones. Mapped
  /// weights are not counted.
  package static var allocatedBytes: Int { BufferPool.shared.usage.allocated }

  /// The part of `allocatedBytes` that is kept for the next tensors.
  package static var retainedBytes: Int { BufferPool.shared.usage.retained }

  /// Gives the kept memory back to the system: after building a network, whose unpacked weights
  /// leave buffers behind that nothing will fit again.
  package static func releaseUnused() { BufferPool.shared.drain() }
}
