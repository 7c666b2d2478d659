import Classifiers
import DeepfakeCore
import TestSupport
import Testing

/// Serialised, because it sets the size of the thread pool.
@Suite(.serialized) struct ThreadCountTests {
  /// A loss and all gradients by parameters, as bits.
  private func step(_ network: ClassifierNetwork, side: Int) -> [[UInt32]] {
    var generator = SeededGenerator(seed: 8)
    let images = Tensor.normal(shape: [3, side, side, 3], using: &generator)
    let targets = Tensor([1, 0, 1], shape: [3, 1])
    let mode = Mode.training(TrainingContext(seed: 4, step: 1))
    let (loss, gradients) = valueAndGrad {
      network(images, mode).binaryCrossEntropy(targets, smoothing: 0.1)
    }
    let all = network.store.parameters.compactMap { gradients[$0]?.scalars.map(\.bitPattern) }
    return [[loss.bitPattern]] + all
  }

  @Test(arguments: [
    (Architecture.efficientNetB0, Norm.group, 65), (.efficientNetB0, .batch, 65),
    (.xception, .group, 79), (.resNeXt50_32x4d, .batch, 47),
  ])
  func trainingDoesNotDependOnIt(architecture: Architecture, norm: Norm, side: Int) {
    let network = ClassifierSettings(architecture, norm: norm).makeNetwork(dropout: 0.4)
    network.store.initialize(seed: 3)
    let before = Parallel.threadCount
    defer { Parallel.threadCount = before }
    Parallel.threadCount = 1
    let one = step(network, side: side)
    #expect(one.count == network.store.parameters.count { $0.role != .statistic } + 1)
    #expect(one.dropFirst().allSatisfy { $0.contains { $0 != 0 } })
    for threads in [2, 5] {
      Parallel.threadCount = threads
      #expect(step(network, side: side) == one, "\(threads) threads")
    }
  }
}
