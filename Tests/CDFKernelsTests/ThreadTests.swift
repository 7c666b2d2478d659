import CDFKernels
import Foundation
import Testing

extension KernelTests {
  @Suite struct Threads {
    /// A counter for each index.
    private func counts(_ count: Int, nested: Int = 0) -> [Int32] {
      let counters = UnsafeMutableBufferPointer<Int32>.allocate(capacity: count)
      defer { counters.deallocate() }
      counters.initialize(repeating: 0)
      df_parallel_for(
        count,
        { context, index in
          // Each index has its own counter, so threads never share one.
          context?.assumingMemoryBound(to: Int32.self)[index] += 1
        }, counters.baseAddress)
      return Array(counters)
    }

    @Test(arguments: [1, 2, 3, 8] as [Int32])
    func everyIndexOnce(threads: Int32) {
      let before = df_thread_count()
      defer { df_set_thread_count(before) }
      df_set_thread_count(threads)
      #expect(df_thread_count() == threads)
      for count in [0, 1, 2, 7, 1000] {
        for _ in 0..<50 { #expect(counts(count).allSatisfy { $0 == 1 }) }
      }
    }

    @Test func countIsBounded() {
      let before = df_thread_count()
      defer { df_set_thread_count(before) }
      df_set_thread_count(-3)
      #expect(df_thread_count() == 1)
      df_set_thread_count(100_000)
      #expect(df_thread_count() == 256)
    }

    /// Calls from several threads at once, and from inside a body, all finish.
    @Test func callersAtOnce() {
      DispatchQueue.concurrentPerform(iterations: 4) { _ in
        for _ in 0..<200 { #expect(counts(16).allSatisfy { $0 == 1 }) }
      }
      let sums = UnsafeMutableBufferPointer<Float>.allocate(capacity: 32)
      defer { sums.deallocate() }
      df_parallel_for(
        32,
        { context, index in
          let ones = [Float](repeating: 1, count: 100_000)
          var sum: Float = 0
          df_f32_pixel_sums(1, ones.count, 1, ones, &sum)
          context?.assumingMemoryBound(to: Float.self)[index] = sum
        }, sums.baseAddress)
      #expect(sums.allSatisfy { $0 == 100_000 })
    }

    @Test func selectionConcernsOneThread() {
      let before = df_isa_current()
      defer { _ = df_isa_select(before) }
      #expect(df_isa_supported(DF_ISA_PORTABLE))
      #expect(df_isa_select(DF_ISA_PORTABLE))
      #expect(df_isa_current() == DF_ISA_PORTABLE)
      for isa in [DF_ISA_PORTABLE, DF_ISA_NEON, DF_ISA_AVX2, DF_ISA_AVX512]
      where !df_isa_supported(isa) {
        #expect(!df_isa_select(isa))
        #expect(df_isa_current() == DF_ISA_PORTABLE)
      }
    }
  }
}
