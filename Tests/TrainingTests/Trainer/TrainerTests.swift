import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import TestSupport
import Testing
import Training

@Suite struct TrainerTests {
  /// Stops a run from within.
  struct Stop: Error {}

  /// Options with much on that a run must remember.
  static var options: TrainingOptions {
    var options = TrainingOptions()
    options.epochs = 4
    options.batchSize = 4
    options.optimizer.learningRate = 0.01
    options.optimizer.weightDecay = 0.001
    options.augmentation = .strong
    options.ema = 0.9
    options.clip = 5
    options.schedule.kind = .plateau(patience: 0)
    return options
  }

  /// Options with nothing random, and one epoch.
  static var plain: TrainingOptions {
    var options = TrainingOptions()
    options.epochs = 1
    options.batchSize = 4
    options.augmentation = .none
    options.sampling = .sequential
    return options
  }

  /// Trains to the end, or until `stop` says so.
  static func run(
    _ folder: URL, _ split: DataSplit, _ network: TrainableNetwork, _ options: TrainingOptions,
    resuming: Bool = false, every steps: Int? = nil, skipsBroken: Bool = false,
    stop: (TrainingEvent) -> Bool = { _ in false }
  ) throws -> TrainingResult {
    var trainer = Trainer(network, options)
    trainer.checkpoints.steps = steps
    trainer.skipsBroken = skipsBroken
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

  /// Calls `body` with a folder and a dataset in it.
  private func withData(
    count: Int = 16, _ body: (_ folder: URL, _ data: DataSplit) throws -> Void
  ) throws {
    try Paths.withTemporaryFolder { folder in
      try body(folder, try HoldOut().split(try MadeUpFaces.write(folder, count: count)))
    }
  }

  @Test func aRunLearnsAndLeavesItsFiles() throws {
    try withData(count: 32) { folder, data in
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
      let columns = EpochMetrics.header.split(separator: ",").count
      for line in table.split(separator: "\n") {
        #expect(line.split(separator: ",", omittingEmptySubsequences: false).count == columns)
      }
      #expect(String(decoding: try Self.bytes(run, "plot.svg"), as: UTF8.self).hasPrefix("<svg"))
      let best = try StateDict.read(result.best)
      #expect(best.keys == TinyNetwork.make().store.parameters.map(\.key))
      let lowest = result.epochs.min { $0.frames?.logLoss ?? 9 < $1.frames?.logLoss ?? 9 }
      #expect(best.metadata["epoch"] == lowest.map { "\($0.epoch)" })
    }
  }

  @Test func howASingleVideoIsToldApartIsLeftOpen() throws {
    try withData { folder, data in
      var options = Self.options
      options.epochs = 1
      let all = data.heldOut
      let reals = all.samples.indices.filter { all.label($0) == .real }
      let fakes = all.samples.indices.filter { all.label($0) == .fake }
      let result = try Trainer(TinyNetwork.trainable(), options).run(
        training: data.training, validation: all.subset(reals.prefix(1) + fakes),
        in: RunFolder(folder.appendingPathComponent("run")))
      let row = try #require(result.epochs.first)
      for scores in [row.frames, row.videos] {
        let scores = try #require(scores)
        #expect(scores.auc == nil && scores.equalErrorRate == nil && scores.logLoss > 0)
      }
      let cells = row.row.split(separator: ",", omittingEmptySubsequences: false)
      for (name, cell) in zip(EpochMetrics.header.split(separator: ","), cells) {
        #expect(cell.isEmpty == (name.hasSuffix("auc") || name.hasSuffix("eer")), "\(name)")
      }
    }
  }

  @Test func theNumberOfThreadsDoesNotMatter() throws {
    try withData { folder, data in
      var results: [Data] = []
      for (name, threads) in [("a", 1), ("b", 3)] {
        var options = Self.options
        options.epochs = 1
        var trainer = Trainer(TinyNetwork.trainable(.batch, dropout: 0.2), options)
        trainer.loaderThreads = threads
        let run = folder.appendingPathComponent(name)
        _ = try trainer.run(
          training: data.training, validation: data.heldOut, in: RunFolder(run))
        results.append(try Self.bytes(run, "last.safetensors"))
      }
      #expect(results[0] == results[1])
    }
  }

  @Test func severalBatchesMakeTheStepOfALargeOne() throws {
    try withData { folder, data in
      var weights: [[Float]] = []
      for (name, size, count) in [("large", 6, 1), ("small", 2, 3)] {
        var options = Self.plain
        options.batchSize = size
        options.accumulate = count
        options.optimizer.kind = .sgd()
        options.optimizer.learningRate = 0.1
        let network = TinyNetwork.trainable()
        let run = folder.appendingPathComponent(name)
        // 24 samples: the fourth step is a whole one, the last of a batch size of 5 would not be.
        let result = try Self.run(run, data, network, options)
        #expect(result.epochs.last?.steps == 4)
        weights.append(network.parameters.flatMap { $0.value.scalars })
      }
      expectClose(weights[1], weights[0], tolerance: 1e-5)
    }
  }

  @Test func frozenLayersStay() throws {
    try withData { folder, data in
      var options = Self.options
      options.freeze = ["stem", "norm"]
      let network = TinyNetwork.trainable(.batch)
      network.network.store.initialize(seed: 4)
      func values() -> [String: [Float]] {
        Dictionary(
          uniqueKeysWithValues: network.parameters.map { ($0.key, $0.value.scalars) })
      }
      let before = values()
      _ = try Self.run(folder.appendingPathComponent("run"), data, network, options)
      for (key, value) in values() {
        let isFrozen = key.hasPrefix("stem") || key.hasPrefix("norm")
        #expect((value == before[key]) == isFrozen, "\(key)")
      }
      options.freeze = ["trunk"]
      let error = #expect(throws: TrainingError.self) {
        try Self.run(folder.appendingPathComponent("other"), data, network, options)
      }
      #expect(error?.description.contains("begins with 'trunk'") == true)
    }
  }

  @Test(arguments: [false, true]) func frozenStatisticsStay(_ isAveraged: Bool) throws {
    try withData { folder, data in
      var options = Self.options
      options.freezeStatistics = true
      if isAveraged { options.swa = .init(from: 1) }
      let network = TinyNetwork.trainable(.batch)
      network.network.store.initialize(seed: 4)
      func values(_ part: String) -> [String: [Float]] {
        Dictionary(
          uniqueKeysWithValues: network.parameters.filter { $0.key.contains(part) }.map {
            ($0.key, $0.value.scalars)
          })
      }
      let (statistics, weights) = (values("running"), values("weight"))
      #expect(statistics.count == 2)
      _ = try Self.run(folder.appendingPathComponent("run"), data, network, options)
      #expect(values("running") == statistics)
      for (key, value) in values("weight") { #expect(value != weights[key], "\(key)") }
    }
  }

  @Test func divergingNamesLayerAndBatch() throws {
    try withData { folder, data in
      let run = folder.appendingPathComponent("run")
      let network = TinyNetwork.trainable()
      var steps = 0
      let error = #expect(throws: TrainingError.self) {
        try Self.run(run, data, network, Self.plain, every: 2) { event in
          if case .step = event {
            steps += 1
            if steps == 3, let body = network.network.store["body.weight"] {
              body.value = Tensor(repeating: .nan, shape: body.shape)
            }
          }
          return false
        }
      }
      guard case .diverged(let divergence)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(divergence.what == .loss(layer: "body", weights: true))
      #expect(divergence.step == 4 && divergence.epoch == 1 && divergence.checkpointStep == 2)
      #expect(divergence.files.count == 4 && divergence.files[0].hasSuffix(".png"))
      #expect("\(divergence)".contains("The checkpoint of step 2 is unchanged."))
      // It is: the run goes on from there.
      let done = try Self.run(run, data, TinyNetwork.trainable(), Self.plain, resuming: true)
      #expect(done.epochs.count == 1)
    }
  }

  @Test func aGradientThatIsNotFiniteNamesItsParameter() throws {
    try withData { folder, data in
      let network = TrainableNetwork(input: InputSpec(size: 16)) {
        TinyNetwork.make(.group, lastStep: { ($0 - $0).squareRoot() * Tensor(scalar: 0) + $0 })
      }
      let error = #expect(throws: TrainingError.self) {
        try Self.run(folder.appendingPathComponent("run"), data, network, Self.plain)
      }
      guard case .diverged(let divergence)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(divergence.what == .gradient(parameter: "body.bias"))
      #expect(divergence.checkpointStep == 0)
    }
  }

  @Test func brokenPicturesStopARunOrAreLeftOut() throws {
    try withData { folder, data in
      let broken = folder.appendingPathComponent("real1.png")
      try Data(try Data(contentsOf: broken).prefix(40)).write(to: broken)
      let error = #expect(throws: DatasetError.self) {
        try Self.run(
          folder.appendingPathComponent("a"), data, TinyNetwork.trainable(), Self.plain)
      }
      #expect(error?.description.contains("real1.png") == true)
      var notes: [String] = []
      let result = try Self.run(
        folder.appendingPathComponent("b"), data, TinyNetwork.trainable(), Self.plain,
        skipsBroken: true
      ) { event in
        if case .note(let text) = event { notes.append(text) }
        return false
      }
      #expect(notes.count == 1 && notes[0].contains("real1.png"))
      #expect(result.epochs[0].images == data.training.count - 1)
      for sample in data.training.samples {
        try Data("no picture".utf8).write(to: folder.appendingPathComponent(sample.path))
      }
      #expect(throws: TrainingError.self) {
        try Self.run(
          folder.appendingPathComponent("c"), data, TinyNetwork.trainable(), Self.plain,
          skipsBroken: true)
      }
    }
  }

  @Test func aRunStopsEarlyAndGoesOnWithTheValidationPart() throws {
    try withData { folder, data in
      var options = Self.plain
      options.epochs = 30
      options.earlyStop = 2
      options.validationEpochs = 1
      // So high a rate that the first epoch stays the best.
      options.optimizer.kind = .sgd()
      options.optimizer.learningRate = 5
      options.clip = 10
      let result = try Self.run(
        folder.appendingPathComponent("run"), data, TinyNetwork.trainable(), options)
      #expect(result.reason == .earlyStop)
      let training = result.epochs.filter { $0.part == .training }
      let best = try #require(training.last { $0.isBest })
      #expect(training.count == best.epoch + 2 && training.count < 30)
      let extra = try #require(result.epochs.last)
      #expect(extra.part == .validation && extra.frames == nil)
      #expect(extra.images == data.heldOut.count)
      #expect(try StateDict.read(result.best).metadata["epoch"] == "\(extra.epoch)")
    }
  }

  @Test func cancellingKeepsWhatIsDone() async throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("dfkit-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let data = try HoldOut().split(try MadeUpFaces.write(folder))
    let run = RunFolder(folder.appendingPathComponent("run"))
    // A task of its own: this one's cancellation would be the test's.
    let work = Task {
      try Trainer(TinyNetwork.trainable(), Self.plain).run(
        training: data.training, validation: data.heldOut, in: run
      ) { event in
        if case .step(let progress) = event, progress.step == 2 {
          withUnsafeCurrentTask { $0?.cancel() }
        }
      }
    }
    await #expect(throws: CancellationError.self) { try await work.value }
    let done = try Self.run(run.url, data, TinyNetwork.trainable(), Self.plain, resuming: true) {
      // It goes on where it was.
      if case .begins(let outline) = $0 { return outline.stepsBefore != 2 }
      return false
    }
    #expect(done.epochs.count == 1)
  }

  @Test func optionsThatMakeNoSenseAreRefused() throws {
    try withData { folder, data in
      for change: (inout TrainingOptions) -> Void in [
        { $0.epochs = 0 }, { $0.batchSize = 0 }, { $0.accumulate = 0 }, { $0.clip = -1 },
        { $0.ema = 1 }, { $0.earlyStop = 0 }, { $0.optimizer.learningRate = .nan },
        { $0.freeze = [""] },
      ] {
        var options = Self.plain
        change(&options)
        #expect(throws: TrainingError.self) {
          try Self.run(
            folder.appendingPathComponent("run"), data, TinyNetwork.trainable(), options)
        }
      }
    }
  }
}
