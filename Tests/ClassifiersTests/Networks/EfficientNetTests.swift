import Classifiers
import DeepfakeCore
import TestSupport
import Testing

@Suite(.serialized) struct EfficientNetTests {
  /// timm's counts for 1000 classes.
  @Test(arguments: [
    (EfficientNetVariant.b0, 5_288_548), (.b1, 7_794_184), (.b2, 9_109_994), (.b3, 12_233_232),
    (.b4, 19_341_616), (.b5, 30_389_784), (.b6, 43_040_704), (.b7, 66_347_960),
    (.b8, 87_413_142), (.lite0, 4_652_008), (.lite1, 5_416_680), (.lite2, 6_092_072),
    (.lite3, 8_197_096), (.lite4, 13_006_568),
  ])
  func theTableScales(_ variant: EfficientNetVariant, _ parameters: Int) {
    for norm in [Norm.batch, .group] {
      let network = ClassifierNetwork(
        EfficientNetConfiguration(variant, classCount: 1000, norm: norm))
      #expect(network.store.learnableCount == parameters)
    }
  }

  @Test func xceptionHasTimmsParameters() {
    let network = ClassifierSettings(.xception, classCount: 1000).makeNetwork()
    #expect(network.store.learnableCount == 22_855_952)
  }

  @Test func groupsAreHalvedUntilTheyDivide() {
    let network = ClassifierNetwork(
      EfficientNetConfiguration(.b0, norm: .group(groups: 64, epsilon: 1e-5)))
    network.store.initialize(seed: 1)
    // Stage 1 has 16 channels, stage 2 has 24: 16 and 8 groups. It runs, and is normalised.
    let maps = network.maps(Formula.image("groups", batch: 1, height: 32, width: 32), .inference)
    #expect(maps[2].shape == [1, 8, 8, 24])
  }

  @Test(arguments: [EfficientNetVariant.b0, .lite0], [Norm.batch, .group])
  func everyDepthCanBeSeen(_ variant: EfficientNetVariant, _ norm: Norm) throws {
    let network = ClassifierNetwork(EfficientNetConfiguration(variant, norm: norm))
    network.store.initialize(seed: 7)
    let x = Formula.image("maps", batch: 2, height: 64, width: 70)
    let plain = network.maps(x, .inference)
    #expect(
      plain.map(\.shape) == [
        [2, 32, 35, 32], [2, 32, 35, 16], [2, 16, 18, 24], [2, 8, 9, 40], [2, 4, 5, 80],
        [2, 4, 5, 112], [2, 2, 3, 192], [2, 2, 3, 320], [2, 2, 3, 1280],
      ])
    expectClose(network.features(x, .inference), plain[8], tolerance: 1e-6)
    let packed = network.packed()
    for (i, map) in packed.maps(x).enumerated() {
      expectClose(map, plain[i], tolerance: 1e-4, "map \(i)")
    }
    #expect(!network.store.parameters.contains { $0.isLoaded })
  }

  @Test func trainingDropsAtRandomAndMeasures() {
    let network = ClassifierNetwork(EfficientNetConfiguration(.b0, stochasticDepth: 0.5))
    network.store.initialize(seed: 3)
    let x = Formula.image("training", batch: 4, height: 32, width: 32)
    let context = TrainingContext(seed: 1, step: 1)
    let first = network(x, .training(context))
    let again = network(x, .training(TrainingContext(seed: 1, step: 1)))
    let other = network(x, .training(TrainingContext(seed: 1, step: 2)))
    #expect(first.scalars == again.scalars)
    #expect(first.scalars != other.scalars)
    #expect(context.recorded.count == 2 * 49)
    #expect(network(x).scalars == network(x).scalars)
  }

  @Test func theFirstBlockIsNeverDroppedAndTheLastMostOften() {
    let plan = EfficientNetConfiguration(.b4, stochasticDepth: 0.32).plan
    let rates = plan.stages.joined().map(\.dropRate)
    #expect(rates.count == 32)
    expectClose([rates[0], rates[16], rates[31]], [0, 0.16, 0.31], tolerance: 1e-6)
  }
}
