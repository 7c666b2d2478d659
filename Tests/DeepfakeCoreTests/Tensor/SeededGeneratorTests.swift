import DeepfakeCore
import TestSupport
import Testing

@Suite struct SeededGeneratorTests {
  @Test func isSplitMix64() {
    // The first outputs for seed 1234567 of the reference implementation (Vigna).
    var generator = SeededGenerator(seed: 1_234_567)
    let values = (0..<5).map { _ in generator.next() }
    #expect(
      values == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
      ])
  }

  @Test func labelsAreIndependentAndRepeatable() {
    func first(_ seed: UInt64, _ label: String) -> UInt64 {
      var generator = SeededGenerator(seed: seed, label: label)
      return generator.next()
    }
    #expect(first(1, "a") == first(1, "a"))
    #expect(first(1, "a") != first(1, "b"))
    #expect(first(1, "a") != first(2, "a"))
  }

  @Test func distributions() {
    var generator = SeededGenerator(seed: 3)
    let uniform = Tensor.uniform(shape: [100_000], in: -2..<4, using: &generator)
    #expect(uniform.min().item >= -2 && uniform.max().item < 4)
    #expect(abs(uniform.mean().item - 1) < 0.03)
    let normal = Tensor.normal(shape: [100_000], deviation: 2, using: &generator)
    #expect(abs(normal.mean().item) < 0.03)
    #expect(abs((normal * normal).mean().item - 4) < 0.1)
    #expect(normal.scalars.allSatisfy { $0.isFinite })
  }
}
