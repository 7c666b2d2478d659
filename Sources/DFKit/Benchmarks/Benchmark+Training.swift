import Classifiers
import DeepfakeCore
import Foundation

extension Benchmark {
  /// Times whole training steps of a classifier on `batch` prepared images: forward, backward and
  /// an Adam update. Dropout before the classifier is 0.4; stochastic depth is off. In a cancelled
  /// task, throws `CancellationError` before the next run.
  ///
  /// - Parameters:
  ///   - recompute: Whether the activations of blocks are recomputed in backward instead of kept in
  ///     memory.
  ///   - listsCalls: Whether to run one more step and list the time of each operation.
  package func train(
    _ settings: ClassifierSettings, batch: Int, recompute: Bool = false,
    listsCalls: Bool = false
  ) throws -> BenchmarkResult {
    let network = settings.makeNetwork(dropout: 0.4, stochasticDepth: 0)
    network.store.initialize(seed: 1)
    var generator = SeededGenerator(seed: 2)
    let side = settings.input.size
    let images = Tensor.uniform(
      shape: [batch, side, side, settings.input.channelCount], in: -2..<2, using: &generator)
    let targets = Tensor(
      (0..<batch * settings.classCount).map { Float($0 % 2) },
      shape: [batch, settings.classCount])
    let parameters = network.store.parameters.filter { $0.role != .statistic }
    var optimizer = Adam()
    var steps = 0
    func step() {
      steps += 1
      let mode = Mode.training(TrainingContext(seed: 3, step: steps, recomputesBlocks: recompute))
      let (_, gradients) = valueAndGrad { network(images, mode).binaryCrossEntropy(targets) }
      optimizer.step(parameters, gradients)
    }
    var plain = self
    plain.layers = nil  // layer tables are for inference only
    var result = try plain.measure(
      "train", settings.architecture.rawValue, norm: settings.norm.kind.rawValue,
      size: .side(side), batch: batch
    ) { step() }
    if listsCalls {
      try Task.checkCancellation()
      let entries = CallTimes.measure { step() }.entries
      result.calls = entries.map {
        BenchmarkResult.Calls(
          operation: $0.operation, phase: $0.phase.rawValue, count: $0.calls,
          millisecondsPerImage: $0.seconds * 1000 / Double(batch))
      }
    }
    return result
  }
}

extension BenchmarkResult {
  /// The calls of one operation in one phase of a training step.
  package struct Calls: Sendable, Equatable {
    /// The operation's name.
    package var operation: String
    /// `forward`, `backward` or `recompute` (activations recomputed in backward).
    package var phase: String
    package var count: Int
    /// The time of all these calls together, divided by the batch size.
    package var millisecondsPerImage: Double

    var json: JSON {
      [
        "operation": .string(operation), "phase": .string(phase), "count": .integer(count),
        "millisecondsPerImage": .double((millisecondsPerImage * 1000).rounded() / 1000),
      ]
    }
  }

  /// The table of a training step's calls that `dfkit bench train --calls` shows.
  package var callTable: String {
    var table = TextTable([
      .init("operation"), .init("phase"), .init("calls", .right), .init("ms/image", .right),
    ])
    for calls in calls {
      table.add([
        calls.operation, calls.phase, "\(calls.count)", calls.millisecondsPerImage.fixed(2),
      ])
    }
    return table.text
  }
}
