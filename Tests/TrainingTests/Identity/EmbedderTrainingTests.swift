import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import MediaIO
import TestSupport
import Testing
import Training

/// Identities, views, training and evaluation on drawn pictures.
@Suite(.serialized) struct EmbedderTrainingTests {
  /// A face that nobody has: a few discs whose places and colours the number decides, and some
  /// noise that `frame` decides.
  static func picture(_ number: Int, frame: Int = 0, side: Int = 48) -> Image {
    var generator = SeededGenerator(seed: UInt64(number), label: "face")
    var picture = Image(width: side, height: side) { pixels in
      let back = (0..<3).map { _ in UInt8(60 + generator.next() % 120) }
      for i in pixels.indices { pixels[i] = back[i % 3] }
    }
    for _ in 0..<6 {
      let (x, y) = (Int(generator.next() % UInt64(side)), Int(generator.next() % UInt64(side)))
      let color = Color(
        red: UInt8(truncatingIfNeeded: generator.next()),
        green: UInt8(truncatingIfNeeded: generator.next()),
        blue: UInt8(truncatingIfNeeded: generator.next()))
      picture.fillRectangle(
        x: x, y: y, width: 6 + Int(generator.next() % 14), height: 6 + Int(generator.next() % 14),
        color: color)
    }
    return picture.withNoise(
      deviation: 0.02, shot: 0, isGrey: false, seed: UInt64(100 * number + frame))
  }

  /// Writes pictures and gives samples of them.
  static func sample(
    _ name: String, _ picture: Image, person: String?, split: String? = nil, in folder: URL
  ) throws -> FaceSample {
    let file = folder.appendingPathComponent(name)
    try ImageFile.write(picture, to: file)
    var sample = FaceSample(path: name, file: file, label: .real)
    sample.person = person
    sample.split = split
    return sample
  }

  /// Twelve named people with one picture each and a video of two people, in file order.
  static func manifest(in folder: URL) throws -> FaceManifest {
    var samples: [FaceSample] = []
    for number in 0..<12 {
      samples.append(
        try sample(
          "single\(number).png", picture(number), person: "p\(number)",
          split: number % 3 == 0 ? "validation" : "train", in: folder))
    }
    for frame in 0..<16 {
      samples.append(
        try sample(
          "video\(100 + frame).png", picture(20 + frame / 8, frame: frame), person: nil,
          split: frame % 8 < 4 ? "train" : "validation", in: folder))
    }
    return FaceManifest(samples)
  }

  @Test func neighboursAreThoseOfOneShot() throws {
    try Paths.withTemporaryFolder { folder in
      let data = try IdentityData(try Self.manifest(in: folder))
      #expect(data.people.map(\.count) == Array(repeating: 1, count: 12))
      #expect(data.neighbours[12]?.sorted() == [13, 14, 15])
      #expect(data.neighbours[16]?.sorted() == [13, 14, 15, 17, 18, 19])
      // The next shot begins at 20.
      #expect(data.neighbours[19]?.sorted() == [16, 17, 18])
      #expect(data.neighbours[20]?.sorted() == [21, 22, 23])
      #expect(data.neighbours[0] == nil)
      #expect(data.face(3) == .person(3))
      #expect(data.face(13) == .unknown(13))
    }
  }

  @Test func splitKeepsWhatIsKnown() throws {
    try Paths.withTemporaryFolder { folder in
      let split = try IdentityData.split(try Self.manifest(in: folder))
      #expect(split.training.count == 16)
      #expect(split.heldOut.count == 12)
      #expect(split.training.samples.allSatisfy { $0.video == nil })
    }
  }

  @Test func viewsComeInPairsOfOneFace() throws {
    try Paths.withTemporaryFolder { folder in
      var samples = Array(try Self.manifest(in: folder).samples)
      for frame in 0..<100 {
        samples.append(
          try Self.sample(
            "many\(frame).png", Self.picture(40, frame: frame, side: 20), person: "many",
            in: folder))
      }
      let data = try IdentityData(FaceManifest(samples))
      let plan = ViewPlan(data: data, seed: 1)
      let order = plan.samples(epoch: 0)
      #expect(order == plan.samples(epoch: 0))
      #expect(order != plan.samples(epoch: 1))
      let firsts = stride(from: 0, to: order.count, by: 2).map { order[$0] }
      // Twelve pictures, so many of a hundred, and all sixteen without a name.
      #expect(firsts.count == 12 + ViewPlan.viewsOfPerson + 16)
      #expect(Set(firsts).count == firsts.count)
      for place in stride(from: 0, to: order.count, by: 2) {
        let (first, second) = (order[place], order[place + 1])
        switch data.face(first) {
        case .person(let person) where data.people[person].count == 1: #expect(second == first)
        case .person: #expect(second != first && data.face(second) == data.face(first))
        case .unknown: #expect(data.neighbours[first]?.contains(second) == true)
        }
      }
    }
  }

  static var options: EmbedderTrainer.Options {
    var options = EmbedderTrainer.Options()
    options.pairs = 8
    options.size = 32
    return options
  }

  /// Stripes of one of six colours, upright or level: easy to tell apart whatever is done to them.
  static func stripes(_ number: Int, side: Int = 48) -> Image {
    Image(width: side, height: side) { pixels in
      for i in pixels.indices {
        let (pixel, channel) = i.quotientAndRemainder(dividingBy: 3)
        let along = number % 2 == 0 ? pixel % side : pixel / side
        let isLit = (number / 2 + 1) >> channel & 1 == 1
        pixels[i] = along / 6 % 2 == 0 ? 30 : isLit ? 220 : 60
      }
    }
  }

  @Test func trainingLearns() throws {
    try Paths.withTemporaryFolder { folder in
      let data = try IdentityData(
        FaceManifest(
          try (0..<12).map {
            try Self.sample("\($0).png", Self.stripes($0), person: "\($0)", in: folder)
          }))
      var options = Self.options
      options.steps = 200
      options.pairs = 12
      var losses: [Double] = []
      let run = RunFolder(folder.appendingPathComponent("run"))
      let result = try EmbedderTrainer(data, options).run(in: run) { event in
        guard case .step(let progress) = event else { return }
        losses.append(progress.loss)
        #expect(progress.step == losses.count && progress.epochs == 2)
      }
      #expect(result.epochs.map(\.steps) == [100, 200])
      #expect(losses.count == 200)
      let (first, last) = (losses.prefix(20).reduce(0, +), losses.suffix(20).reduce(0, +))
      #expect(last < 0.75 * first, "the loss fell from \(first / 20) to \(last / 20)")
    }
  }

  /// Trains in a folder of its own and gives the weights.
  private func train(
    _ data: IdentityData, _ options: EmbedderTrainer.Options, from start: StateDict? = nil,
    in folder: URL, _ name: String
  ) throws -> StateDict {
    let run = RunFolder(folder.appendingPathComponent(name))
    return try StateDict.read(EmbedderTrainer(data, options).run(from: start, in: run).best)
  }

  private func values(_ state: StateDict) throws -> [String: [Float]] {
    try Dictionary(
      uniqueKeysWithValues: state.keys.map { ($0, try #require(state[$0]).tensor().scalars) })
  }

  @Test func trainingDependsOnTheSeedAndTheStartAlone() throws {
    try Paths.withTemporaryFolder { folder in
      let data = try IdentityData(try Self.manifest(in: folder))
      var options = Self.options
      options.steps = 5
      let weights = try train(data, options, in: folder, "one")
      options.loaderThreads = 3
      #expect(try values(train(data, options, in: folder, "again")) == values(weights))
      options.seed = 1
      #expect(try values(train(data, options, in: folder, "other")) != values(weights))

      options.learningRate = 1e-8
      let further = try train(data, options, from: weights, in: folder, "further")
      let weight = "embedding.weight"
      expectClose(
        try #require(further[weight]).tensor(), try #require(weights[weight]).tensor(),
        tolerance: 1e-4)
    }
  }

  @Test func aStoppedRunEndsAsIfItHadNotBeenStopped() throws {
    try Paths.withTemporaryFolder { folder in
      let data = try IdentityData(try Self.manifest(in: folder))
      var options = Self.options
      // A pass over the data has a few batches: the run stops and ends in the middle of one.
      options.steps = 11
      options.pairs = 5
      let whole = try train(data, options, in: folder, "whole")
      let run = RunFolder(folder.appendingPathComponent("run"))
      var trainer = EmbedderTrainer(data, options)
      trainer.checkpoints.steps = 1
      for stop in [3, 8] {
        #expect(throws: TrainerTests.Stop.self) {
          try trainer.run(in: run, resuming: stop > 3) { event in
            if case .checkpoint(step: stop) = event { throw TrainerTests.Stop() }
          }
        }
      }
      let result = try trainer.run(in: run, resuming: true) { event in
        if case .begins(let outline) = event { #expect(outline.stepsBefore == 8) }
      }
      #expect(try values(StateDict.read(result.best)) == values(whole))
      let log = try String(contentsOf: run.log, encoding: .utf8)
      #expect(log.split(separator: "\n").count { $0.hasSuffix("goes on") } == 2)
    }
  }

  @Test func trainingNeedsTwoPeople() throws {
    try Paths.withTemporaryFolder { folder in
      let samples = try (0..<4).map {
        try Self.sample("\($0).png", Self.picture($0), person: $0 < 2 ? "one" : nil, in: folder)
      }
      let data = try IdentityData(FaceManifest(samples))
      #expect(throws: TrainingError.self) {
        try EmbedderTrainer(data).run(in: RunFolder(folder.appendingPathComponent("run")))
      }
    }
  }

  /// Embeds a picture as its mean colour: enough to tell the drawn ones apart.
  struct MeanColor: FaceEmbedder {
    var name: String { "mean-colour" }
    var dimension: Int { 3 }
    var lookAlikeThreshold: Float { 0.99 }

    func embeddings(_ crops: [Image]) -> Tensor {
      Tensor(shape: [crops.count, 3]) { target in
        for (row, crop) in crops.enumerated() {
          let small = crop.resized(width: 1, height: 1, method: .area).pixels
          let values = small.map { Float($0) - 110 }
          let length = values.reduce(1e-3) { $0 + $1 * $1 }.squareRoot()
          for (i, value) in values.enumerated() { target[row * 3 + i] = value / length }
        }
      }
    }
  }

  @Test func evaluationCountsPairs() throws {
    try Paths.withTemporaryFolder { folder in
      let split = try IdentityData.split(try Self.manifest(in: folder))
      let result = try EmbedderEvaluation().run(
        MeanColor(), heldOut: IdentityData(split.heldOut), training: IdentityData(split.training))
      // Four people and two shots of four frames are held out, eight people are learned from.
      #expect(result.views.same.total == 4)
      #expect(result.views.different.total == 12)
      #expect(result.neighbours.same.total == 12)
      #expect(result.neighbours.different.total == 8 * 4)
      #expect(result.people.same.total == 0)
      #expect(result.strangers.total == 6 + 4 * 8)
      #expect(result.neighbours.auc > 0.9)
      #expect(result.strangers.count(atLeast: result.threshold) == 0)
      #expect(result.worst.count == 20)
      let similarities = result.worst.map(\.similarity)
      #expect(similarities == similarities.sorted(by: >))
      #expect(result.worst.allSatisfy { $0.first != $0.second })
    }
  }
}
