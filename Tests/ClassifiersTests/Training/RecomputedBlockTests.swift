import Classifiers
import DeepfakeCore
import TestSupport
import Testing

/// Blocks whose activations are computed once more in backward give the very same step.
@Suite struct RecomputedBlockTests {
  @Test(arguments: [Architecture.efficientNetB0, .resNeXt50_32x4d], [Norm.batch, .group])
  func gradientsAndStatisticsAreTheSame(_ architecture: Architecture, _ norm: Norm) {
    let settings = ClassifierSettings(architecture, norm: norm)
    // Blocks are skipped at random too: alike both times.
    let network = settings.makeNetwork(dropout: 0.2, stochasticDepth: 0.5)
    network.store.initialize(seed: 1)
    let images = Formula.image("recomputed", batch: 2, height: 32, width: 32)
    let targets = Tensor([0, 1], shape: [2, 1])
    var steps: [(value: Float, gradients: Gradients, statistics: [String: Tensor])] = []
    for recomputes in [false, true] {
      let context = TrainingContext(seed: 3, step: 4, recomputesBlocks: recomputes)
      let step = valueAndGrad {
        network(images, .training(context)).binaryCrossEntropy(targets)
      }
      steps.append((step.value, step.gradients, context.recorded))
    }
    #expect(steps[0].value == steps[1].value)
    #expect(steps[0].statistics.isEmpty == (norm == .group))
    #expect(steps[0].statistics.mapValues(\.scalars) == steps[1].statistics.mapValues(\.scalars))
    for parameter in network.store.parameters where parameter.role != .statistic {
      #expect(
        steps[0].gradients[parameter]?.scalars == steps[1].gradients[parameter]?.scalars,
        "\(parameter.key)")
      #expect(steps[1].gradients[parameter] != nil)
    }
  }
}
