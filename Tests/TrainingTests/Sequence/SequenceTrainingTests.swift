import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import MediaIO
import TestSupport
import Testing
import Training

/// Training of an LSTM over the features of frames.
@Suite struct SequenceTrainingTests {
  private static var network: TrainableNetwork {
    var settings = ClassifierSettings(.efficientNetLite0)
    settings.input.size = 32
    var sequence = NetworkSettings.FrameSequence()
    sequence.hidden = 4
    sequence.frames = 3
    let network = TrainableNetwork(settings, dropout: 0.2, sequence: sequence)
    network.network.store.initialize(seed: 1)
    return network
  }

  private static var options: TrainingOptions {
    var options = TrainingOptions()
    options.epochs = 3
    options.batchSize = 3
    options.optimizer.learningRate = 0.01
    options.augmentation = .none
    return options
  }

  private func run(
    _ folder: URL, _ split: DataSplit, _ options: TrainingOptions = options,
    resuming: Bool = false, features: URL? = nil,
    onEvent: (TrainingEvent) throws -> Void = { _ in }
  ) throws -> TrainingResult {
    // A resumed run must not need the network that it began with.
    let network = Self.network
    if resuming { network.network.store.initialize(seed: 99) }
    var trainer = Trainer(network, options)
    trainer.featureFolder = features
    trainer.checkpoints.steps = 2
    return try trainer.run(
      training: split.training, validation: split.heldOut, in: RunFolder(folder),
      resuming: resuming, onEvent: onEvent)
  }

  @Test(arguments: [false, true])
  func aRunThatWasStoppedEndsAsOneThatWasNot(endToEnd: Bool) throws {
    try Paths.withTemporaryFolder { folder in
      let data = try HoldOut().split(try MadeUpFaces.write(folder))
      var options = Self.options
      options.endToEnd = endToEnd
      if endToEnd { (options.epochs, options.batchSize) = (1, 1) }
      let whole = folder.appendingPathComponent("whole")
      let result = try run(whole, data, options)
      #expect(result.epochs.count == options.epochs)
      let parts = folder.appendingPathComponent("parts")
      var stops = 0
      while stops < 50 {
        var steps = 0
        do {
          _ = try run(
            parts, data, options,
            resuming: FileManager.default.fileExists(atPath: RunFolder(parts).checkpoint.path)
          ) { event in
            guard case .step = event else { return }
            steps += 1
            if steps == 3 { throw TrainerTests.Stop() }
          }
          break
        } catch is TrainerTests.Stop {
          stops += 1
        }
      }
      #expect(stops > 0 && stops < 50)
      for name in ["best.safetensors", "last.safetensors"] {
        #expect(try TrainerTests.bytes(whole, name) == TrainerTests.bytes(parts, name), "\(name)")
      }
    }
  }

  @Test func theWeightsAreASequenceNetwork() throws {
    try Paths.withTemporaryFolder { folder in
      let data = try HoldOut().split(try MadeUpFaces.write(folder))
      let result = try run(folder.appendingPathComponent("run"), data)
      let state = try StateDict.read(result.best)
      let scorer = try SequenceScorer(state)
      #expect(scorer.settings.hidden == 4)
      // The network of the frames is the one that it began with.
      let frames = Self.network.network.store
      for parameter in frames.parameters where parameter.key.hasPrefix("conv_stem") {
        let kept = try #require(state[parameter.key]).tensor(layout: parameter.layout)
        #expect(kept.scalars == parameter.value.scalars)
      }
      let first = try #require(data.heldOut.samples.first)
      let track = data.heldOut.samples.filter { $0.video == first.video }
      let crops = try track.map { try ImageFile.read($0.file) }
      #expect(try #require(scorer.logit(of: crops)).isFinite)
    }
  }

  @Test func featuresAreComputedOnce() throws {
    try Paths.withTemporaryFolder { folder in
      let data = try HoldOut().split(try MadeUpFaces.write(folder))
      let kept = folder.appendingPathComponent("features")
      func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: kept.path).sorted()
      }
      func computed(_ name: String, _ options: TrainingOptions = Self.options) throws -> Int {
        var last = 0
        _ = try run(folder.appendingPathComponent(name), data, options, features: kept) {
          if case .preparing(let done, _) = $0 { last = done }
        }
        return last
      }
      #expect(try computed("one") == data.training.count + data.heldOut.count)
      let before = try files()
      #expect(before.count == 2)
      var options = Self.options
      options.seed = 5
      #expect(try computed("two", options) == 0)
      #expect(try files() == before)
      // A file that was cut is made anew.
      let file = kept.appendingPathComponent(before[0])
      try Data(contentsOf: file).dropLast(100).write(to: file)
      #expect(try computed("three") > 0)
      for name in ["two", "three"] {
        #expect(
          FileManager.default.fileExists(
            atPath: folder.appendingPathComponent("\(name)/best.safetensors").path))
      }
      // Another picture under the same name has other features.
      let changed = try #require(data.training.samples.first).file
      let grey = Image(width: 20, height: 20) { $0.update(repeating: 90) }
      try ImageFile.write(grey, to: changed)
      #expect(try computed("four") > 0)
    }
  }

  @Test func whatDoesNotApplyIsRefused() throws {
    try Paths.withTemporaryFolder { folder in
      let data = try HoldOut().split(try MadeUpFaces.write(folder))
      var number = 0
      func refuses(_ change: (inout TrainingOptions) -> Void) {
        var options = Self.options
        change(&options)
        number += 1
        #expect(throws: TrainingError.self, "\(number)") {
          try run(folder.appendingPathComponent("run\(number)"), data, options)
        }
      }
      refuses { $0.fakes = FakeOptions() }
      refuses { $0.validationEpochs = 1 }
    }
  }
}

/// A task in which only the order of the frames tells real from fake.
@Suite struct OrderOnlyTests {
  private static let frames = 8

  /// Clips of the same frames, in order (real) or shuffled (fake); a label each.
  private func clips(_ count: Int, seed: UInt64) -> (features: Tensor, labels: [Float]) {
    var generator = SeededGenerator(seed: seed, label: "clips")
    var values: [Float] = []
    var labels: [Float] = []
    for clip in 0..<count {
      let isFake = clip % 2 == 1
      var order = Array(0..<Self.frames)
      while isFake && order == order.sorted() { order.shuffle(using: &generator) }
      let phase = 6 * generator.uniform()
      for frame in order {
        let angle = phase + Float(frame) * 0.7
        values += [cosine(angle), cosine(angle - 1.5708), 0.1 * (generator.uniform() - 0.5)]
      }
      labels.append(isFake ? 1 : 0)
    }
    return (Tensor(values, shape: [count, Self.frames, 3]), labels)
  }

  private func cosine(_ x: Float) -> Float { Float(Foundation.cos(Double(x))) }

  private func accuracy(_ logits: [Float], _ labels: [Float]) -> Double {
    Double(zip(logits, labels).count { ($0 > 0) == ($1 > 0.5) }) / Double(labels.count)
  }

  @Test func theLSTMLearnsItAndTheMeanOverFramesCannot() {
    let (features, labels) = clips(256, seed: 1)
    let (unseen, truth) = clips(256, seed: 2)
    let targets = Tensor(labels, shape: [labels.count])
    var settings = NetworkSettings.FrameSequence()
    settings.hidden = 16
    let head = SequenceHead(settings, features: 3, dropout: 0)
    head.store.initialize(seed: 1)
    var optimizer = Adam(learningRate: 0.02)
    for _ in 0..<150 {
      let step = valueAndGrad {
        head(features).reshaped([labels.count]).binaryCrossEntropy(targets)
      }
      optimizer.step(head.store.parameters, step.gradients)
    }
    #expect(accuracy(head(unseen).scalars, truth) > 0.95)

    // The mean of a network's scores over the frames, for any network of single frames: the frames
    // of both classes are the same.
    let store = ParameterStore()
    let layers: [any Module] = [
      Linear(store.root / "a", 3, 16), FunctionLayer { $0.tanh() }, Linear(store.root / "b", 16, 1),
    ]
    store.initialize(seed: 1)
    func mean(_ clips: Tensor) -> Tensor { layers(clips).mean(axes: [1, 2]) }
    optimizer = Adam(learningRate: 0.02)
    for _ in 0..<150 {
      let step = valueAndGrad { mean(features).binaryCrossEntropy(targets) }
      optimizer.step(store.parameters, step.gradients)
    }
    #expect(abs(accuracy(mean(unseen).scalars, truth) - 0.5) < 0.1)
  }
}
