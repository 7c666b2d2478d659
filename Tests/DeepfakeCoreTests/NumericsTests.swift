import DeepfakeCore
import Testing

@Suite struct NumericsTests {
  @Test func sigmoidsKeepTheirPrecisionOnEitherSide() {
    #expect(sigmoid(0.0) == 0.5 && sigmoid(Float(0)) == 0.5)
    #expect(sigmoid(1000.0) == 1 && sigmoid(-1000.0) == 0)
    #expect(sigmoid(Float(-100)) > 0 && sigmoid(Float(100)) == 1)
    #expect(abs(sigmoid(-2.0) + sigmoid(2.0) - 1) < 1e-15)
  }

  @Test func divisionsRoundUp() {
    #expect([0, 1, 3, 4, 6, 7].map { $0.dividedRoundingUp(by: 3) } == [0, 1, 1, 2, 2, 3])
  }
}
