import Classifiers
import DeepfakeCore
import Foundation
import TestSupport
import Testing
import Training

@Suite struct TrainerTests {
  /// Stops a run from within.
  struct Stop: Error {}

  /// Options with everything on that a run must remember.
  static var options: TrainingOptions {
    var options = TrainingOptions()
    options.epochs = 4
    options.batchSize = 4
    options.optimizer.learningRate = 0.01
    options.optimizer.weightDecay = 0.001
    options.augmentation = .strong
    options.ema = 0.9
    options.clip = 5
    options.schedule.patience = 0
    return options
  }

  /// Trains to the end, or until `stop` says so, and returns the final weights.
  static func run(
    _ folder: URL, _ split: DataSplit, _ network: TrainableNetwork, _ options: TrainingOptions,
    resuming: Bool = false, every steps: Int? = nil,
    stop: (TrainingEvent) -> Bool = { _ in false }
  ) throws -> TrainingResult {
    var trainer = Trainer(network, options)
    trainer.checkpointSteps = steps
    return try trainer.run(
      training: split.training, validation: split.heldOut, in: RunFolder(folder),
      resuming: resuming
    ) { event in
      if stop(event) { throw Stop() }
    }
  }

  static func bytes(_ folder: URL, _ name: String) throws -> Data {
    try Data(contentsOf: folder.appendingPathComponent(name))
  }

  @Test func aRunLearnsAndLeavesItsFiles() throws {
    try Paths.withTemporaryFolder { folder in
      let data = try HoldOut().split(try MadeUpFaces.write(folder, count: 32))
      var options = Self.options
      options.epochs = 12
      options.ema = nil
      options.augmentation = .none
      let run = folder.appendingPathComponent("run")
      let result = try Self.run(run, data, TinyNetwork.trainable(), options)
      #expect(result.epochs.count == 12)
      #expect(result.reason == .completed)
      let last = try #require(result.epochs.last?.frames)
      #expect(last.logLoss < 0.4, "\(last)")
      #expect(try #require(last.auc) > 0.9)
      let table = String(decoding: try Self.bytes(run, "metrics.csv"), as: UTF8.self)
      #expect(table.split(separator: "\n").count == 13)
      #expect(table.hasPrefix(EpochMetrics.header))
      #expect(String(decoding: try Self.bytes(run, "plot.svg"), as: UTF8.self).hasPrefix("<svg"))
      let best = try StateDict.read(result.best)
      #expect(best.keys == TinyNetwork().store.parameters.map(\.key))
    }
  }
}
