import CDFKernels
import Testing

/// What peaks and bandwidths are measured with.
@Suite struct MachineTests {
  @Test func multiplyAddsAreCountedAndMade() {
    let sets = [(DF_ISA_PORTABLE, 4), (DF_ISA_NEON, 4), (DF_ISA_AVX2, 8), (DF_ISA_AVX512, 16)]
    for (isa, lanes) in sets {
      var result: Float = -1
      let count = df_f32_run_multiply_adds(isa, 200, &result)
      if instructionSets.contains(isa) {
        #expect(count == 200 * 12 * lanes)
        // Each of twelve chains approaches 2.
        #expect(result == 24)
      } else {
        #expect(count == 0 && result == -1)
      }
    }
  }

  @Test func allIsRead() {
    let floats = (0..<1000).map { Float($0 % 7) }
    for isa in instructionSets {
      for count in [0, 1, 31, 127, 128, 129, 1000] {
        #expect(df_f32_read(isa, count, floats) == floats[..<count].reduce(0, +))
      }
    }
  }

  @Test func cachesThatThereAreNotHaveNoSize() {
    #expect(df_cache_bytes(9) == 0)
  }
}
