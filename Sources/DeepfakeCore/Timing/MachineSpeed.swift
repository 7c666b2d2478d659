import CDFKernels

/// The measured maximum speed of this machine: multiply-adds on values in registers, and bandwidth
/// of the caches and the memory.
package struct MachineSpeed: Sendable, Equatable {
  /// The multiply-add speed of one instruction set, in GFLOP/s. A multiply-add counts as two
  /// operations.
  package struct Peak: Sendable, Equatable {
    /// `portable`, `neon`, `avx2` or `avx512`.
    package var instructionSet: String
    /// Whether the kernels use this instruction set.
    package var isInUse: Bool
    /// The speed of one thread.
    package var oneThread: Double
    /// The speed of all threads together.
    package var allThreads: Double
  }

  /// The bandwidth of a cache or of the memory, in GB/s for all threads together.
  package struct Bandwidth: Sendable, Equatable {
    /// The place of the data: `L2`, `L3` or `memory`.
    package var place: String
    /// The size of the data that was read or copied, for all threads together, in bytes.
    package var bytes: Int
    /// The bandwidth of reading, in GB/s.
    package var read: Double
    /// The bandwidth of copying, in GB/s; bytes read and bytes written are added.
    package var copy: Double
  }

  package var threads: Int
  /// The speeds of the instruction sets that this machine supports, from the least to the most
  /// capable.
  package var peaks: [Peak]
  /// The bandwidths, from the nearest place to the farthest.
  package var bandwidths: [Bandwidth]

  /// The peak of the instruction set in use.
  package var peak: Peak? { peaks.first(where: \.isInUse) }

  /// Measures the machine with the threads of the pool, in about a tenth of a second. With `memory`
  /// it takes about half a second more, because allocating the memory pages takes time.
  package static func measure(memory: Bool = false) -> MachineSpeed {
    let current = df_isa_current()
    let sets = [DF_ISA_PORTABLE, DF_ISA_NEON, DF_ISA_AVX2, DF_ISA_AVX512]
      .filter { df_isa_supported($0) }
    let threads = Parallel.threadCount
    let peaks = sets.map { set in
      Peak(
        instructionSet: String(cString: df_isa_name(set)), isInUse: set == current,
        oneThread: peak(set, threads: 1), allThreads: peak(set, threads: threads))
    }
    return MachineSpeed(
      threads: threads, peaks: peaks,
      bandwidths: places(threads: threads, memory: memory).map {
        bandwidth($0.name, bytes: $0.bytes, current, threads: threads)
      })
  }

  private static func peak(_ set: df_isa, threads: Int) -> Double {
    let rounds = 400_000
    var multiplyAdds = 0
    let seconds = shortest(of: 9) {
      let counts = Parallel.map(threads) { _ in
        var result: Float = 0
        return df_f32_run_multiply_adds(set, rounds, &result)
      }
      multiplyAdds = counts.reduce(0, +)
    }
    return 2 * Double(multiplyAdds) / seconds / 1e9
  }

  /// The caches and, if wanted, the memory, each with an amount of data that stays there.
  private static func places(threads: Int, memory: Bool) -> [(name: String, bytes: Int)] {
    let megabyte = 1 << 20
    let second = df_cache_bytes(2) > 0 ? df_cache_bytes(2) : megabyte
    let third = df_cache_bytes(3)
    var places = [("L2", second / 2 * threads)]
    if third >= 4 * second * threads { places.append(("L3", min(third / 4, 64 * megabyte))) }
    if memory { places.append(("memory", min(max(2 * third, 256 * megabyte), 1024 * megabyte))) }
    return places
  }

  private static func bandwidth(
    _ place: String, bytes: Int, _ set: df_isa, threads: Int
  ) -> Bandwidth {
    // Each thread has its own part and copies one half of it to the other half.
    let half = bytes / 8 / threads
    nonisolated(unsafe) let floats = UnsafeMutablePointer<Float>.allocate(
      capacity: 2 * half * threads)
    defer { floats.deallocate() }
    Parallel.forEach(threads) { thread in
      (floats + 2 * half * thread).initialize(repeating: 0, count: 2 * half)
    }
    // A small amount of data is read several times.
    let repeats = max(1, (32 << 20) / bytes)
    let moved = Double(2 * half * 4 * threads * repeats)
    let reading = shortest(of: 4) {
      _ = Parallel.map(threads) { thread in
        (0..<repeats).reduce(Float(0)) { sum, _ in
          sum + df_f32_read(set, 2 * half, floats + 2 * half * thread)
        }
      }
    }
    let copying = shortest(of: 4) {
      Parallel.forEach(threads) { thread in
        let source = floats + 2 * half * thread
        for _ in 0..<repeats { (source + half).update(from: source, count: half) }
      }
    }
    return Bandwidth(
      place: place, bytes: bytes, read: moved / reading / 1e9, copy: moved / copying / 1e9)
  }

  /// The shortest time in seconds of `runs` runs, after one run that is not counted.
  private static func shortest(of runs: Int, _ body: () -> Void) -> Double {
    body()
    return (0..<runs).map { _ in
      let start = ContinuousClock.now
      body()
      return start.secondsSince
    }.min() ?? 0
  }
}
