import Classifiers
import DeepfakeCore
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct FrameClassifierTests {
  static func model(classes: Int) -> ClassifierModel {
    ClassifierModel(
      random: ClassifierSettings(
        .efficientNetB0, norm: .group, classCount: classes, input: InputSpec(size: 32)), seed: 5)
  }

  let crops: [Image] = (0..<5).map { i in
    Image(
      width: 20 + i, height: 40,
      pixels: (0..<(20 + i) * 40 * 3).map { UInt8(truncatingIfNeeded: $0 * (i + 3)) })
  }

  @Test func mirroredNetworksSeeBothSides() throws {
    let plain = Self.model(classes: 2)
    var settings = plain.settings
    settings.isMirrored = true
    let both = ClassifierModel(random: settings, seed: 5)
    let mirrored = crops.map { $0.flippedHorizontally() }
    let means = zip(plain.logits(of: crops), plain.logits(of: mirrored)).flatMap { one, other in
      zip(one, other).map { ($0 + $1) / 2 }
    }
    #expect(plain.logits(of: crops) != plain.logits(of: mirrored))
    expectClose(both.logits(of: crops).flatMap { $0 }, means, tolerance: 1e-5)
    expectClose(both.logits(of: mirrored).flatMap { $0 }, means, tolerance: 1e-5)
    // The features, by which faces are known or strange, are those of the crop as it is.
    let batch = plain.input.prepare(crops)
    let (logits, features) = both.logitsAndFeatures(batch)
    expectClose(logits.scalars, means, tolerance: 1e-5)
    expectClose(features.scalars, plain.logitsAndFeatures(batch).features.scalars, tolerance: 1e-6)
  }

  @Test func batchesAreBoundedAndChangeNothing() throws {
    var model = Self.model(classes: 1)
    model.batchSize = 2
    let two = model.logits(of: crops)
    model.batchSize = 8
    let eight = model.logits(of: crops)
    #expect(two.map(\.count) == [1, 1, 1, 1, 1])
    expectClose(two.flatMap { $0 }, eight.flatMap { $0 }, tolerance: 1e-5)
    #expect(Set(eight.map { $0[0] }).count == 5)
    #expect(model.logits(of: [Image]()).isEmpty)
    let expected = eight.map { 1 / (1 + exp(-Double($0[0]))) }
    expectClose(try model.scores(crops), expected.map(Float.init), tolerance: 1e-6)
  }

  @Test func threadsChangeNothing() {
    let model = Self.model(classes: 1)
    let threads = Parallel.threadCount
    defer { Parallel.threadCount = threads }
    Parallel.threadCount = 1
    let one = model.logits(of: crops)
    Parallel.threadCount = 3
    #expect(model.logits(of: crops) == one)
  }

  @Test func twoClassesAreRealAndFake() throws {
    let model = Self.model(classes: 2)
    let logits = model.logits(of: crops)
    let expected = logits.map { row in
      let (real, fake) = (exp(Double(row[0])), exp(Double(row[1])))
      return Float(fake / (real + fake))
    }
    expectClose(try model.scores(crops), expected, tolerance: 1e-6)
  }

  @Test func otherClassesHaveNoMeaning() {
    let model = Self.model(classes: 3)
    #expect(model.logits(of: crops)[4].count == 3)
    #expect(model.probability([1, 2, 3]) == nil)
    #expect(throws: ClassifierError.self) { try model.scores(crops) }
  }

  @Test func probabilitiesDoNotOverflow() throws {
    let model = Self.model(classes: 1)
    #expect(model.probability([1000]) == 1)
    #expect(model.probability([-1000]) == 0)
    #expect(model.probability([0]) == 0.5)
    #expect(model.probability([200, -200]) == 0)
  }

  @Test func theSeedFixesRandomWeights() {
    #expect(
      Self.model(classes: 1).logits(of: crops) == Self.model(classes: 1).logits(of: crops))
  }
}
