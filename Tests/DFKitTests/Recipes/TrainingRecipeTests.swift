import DFKit
import Foundation
import TestSupport
import Testing

@Suite struct TrainingRecipeTests {
  private static let minimal = """
    name: tiny
    members:
      - name: only
        architecture: efficientnet-b0
    """

  private func training(_ lines: String) throws -> TrainingOptions {
    let text =
      "\(Self.minimal)\ntraining:\n"
      + lines.split(separator: "\n").map { "  \($0)\n" }.joined()
    return try #require(try Recipe(yaml: text, file: "r.yaml").training)
  }

  @Test func everyKeyIsRead() throws {
    let options = try training(
      """
      epochs: 7
      batchSize: 4
      accumulate: 3
      seed: 99
      optimizer: {kind: sgd, learningRate: 0.1, weightDecay: 0.01, layerDecay: 0.7, momentum: \
      0.8, nesterov: true, sam: 0.05}
      schedule: {kind: step, factor: 0.1, every: 3, warmUp: 0.5}
      loss: {kind: focal, labelSmoothing: 0.1, gamma: 3, alpha: 0.3}
      augmentation: strong
      sampling: people
      holdOut: 0.1
      clip: 2
      ema: 0.99
      swa: {from: 4, learningRate: 0.05}
      earlyStop: 3
      freeze: [conv_stem, blocks.0]
      freezeStatistics: true
      validationEpochs: 2
      """)
    var expected = TrainingOptions()
    expected.epochs = 7
    expected.batchSize = 4
    expected.accumulate = 3
    expected.seed = 99
    expected.optimizer.kind = .sgd(momentum: 0.8, nesterov: true)
    expected.optimizer.learningRate = 0.1
    expected.optimizer.weightDecay = 0.01
    expected.optimizer.layerDecay = 0.7
    expected.optimizer.sam = 0.05
    expected.schedule.kind = .step(factor: 0.1, every: 3)
    expected.schedule.warmUp = 0.5
    expected.loss.kind = .focal(gamma: 3, alpha: 0.3)
    expected.loss.labelSmoothing = 0.1
    expected.freezeStatistics = true
    expected.augmentation = .strong
    expected.sampling = .people
    expected.holdOut = 0.1
    expected.clip = 2
    expected.ema = 0.99
    expected.swa = .init(from: 4, learningRate: 0.05)
    expected.earlyStop = 3
    expected.freeze = ["conv_stem", "blocks.0"]
    expected.validationEpochs = 2
    #expect(options == expected)
    let other = try training(
      """
      optimizer: {kind: adamw, betas: [0.8, 0.99], epsilon: 0.001}
      schedule: {kind: cosine, minRate: 0.00001}
      loss: {fakeWeight: 2}
      """)
    let betas = AdamBetas(mean: 0.8, square: 0.99)
    #expect(other.optimizer.kind == .adamw(betas: betas, epsilon: 0.001))
    #expect(other.schedule.kind == .cosine(minRate: 0.00001))
    #expect(other.loss.kind == .bce(fakeWeight: 2))
    let poly = try training("schedule: {kind: poly, power: 2}")
    #expect(poly.schedule.kind == .poly(power: 2))
    let plateau = try training("schedule: {patience: 4, threshold: 0.01}")
    #expect(plateau.schedule.kind == .plateau(patience: 4, threshold: 0.01))
  }

  @Test func augmentationsAreListsOfSteps() throws {
    let options = try training(
      """
      augmentation:
        - silver
        - grey
        - jpeg: {quality: [40, 60], probability: 0.5}
        - landmarkCutout: {parts: [eyes, mouth]}
        - oneOf:
            steps:
              - gamma
              - blur: {sigma: 1}
        - mixup: {alpha: 0.4}
      """)
    let steps = options.augmentation.steps
    #expect(steps.count == Augmentation.silver.steps.count + 4)
    #expect(options.augmentation.mixup?.alpha == 0.4)
    #expect(steps[3].probability == 0.5)
    #expect((steps[3].operation as? JPEGCompression)?.quality == 40...60)
    #expect((steps[4].operation as? LandmarkCutout)?.parts == [.eyes, .mouth])
    let inner = try #require((steps[5].operation as? OneOf)?.steps)
    #expect((inner[1].operation as? GaussianBlur)?.sigma == 1...1)
  }

  @Test(arguments: [
    ("epoch: 3", "training.epoch", "known here: epochs"),
    ("epochs: 0", "training.epochs", "1 to 100000"),
    ("optimizer: {kind: lion}", "training.optimizer.kind", "sgd, adam, adamw"),
    ("optimizer: {momentum: 0.5}", "training.optimizer.momentum", "does not apply"),
    ("optimizer: {kind: sgd, betas: [0.1, 0.2]}", "training.optimizer.betas", "does not apply"),
    (
      "optimizer: {kind: sgd, momentum: 0, nesterov: true}", "training.optimizer.nesterov",
      "momentum above 0"
    ),
    ("optimizer: {rate: 1}", "training.optimizer.rate", "known here: kind"),
    ("schedule: {every: 3}", "training.schedule.every", "only to step"),
    ("schedule: {kind: cosine, patience: 3}", "training.schedule.patience", "only to plateau"),
    ("loss: {gamma: 3}", "training.loss.gamma", "only to focal"),
    ("loss: {kind: focal, fakeWeight: 3}", "training.loss.fakeWeight", "only to bce"),
    ("loss: {labelSmoothing: 2}", "training.loss.labelSmoothing", "0.0 to 0.9"),
    ("sampling: random", "training.sampling", "shuffled, balanced, people"),
    ("swa: {learningRate: 1}", "training.swa.from", "first epoch"),
    ("earlyStop: never", "training.earlyStop", "whole number"),
    ("freeze: {a: b}", "training.freeze", "list"),
    ("augmentation: bold", "training.augmentation", "none, silver, strong"),
    ("augmentation: [bold]", "training.augmentation[0]", "is not a known step"),
    ("augmentation: [{blur: {radius: 2}}]", "training.augmentation[0].blur.radius", "sigma"),
    ("augmentation: [{blur: 2}]", "training.augmentation[0].blur", "mapping of parameters"),
    ("augmentation: [{blur: {}, grey: {}}]", "training.augmentation[0]", "a step's name"),
    ("augmentation: [mixup, mixup]", "training.augmentation[1]", "twice"),
    ("augmentation: {blur: 2}", "training.augmentation.blur", "mapping of parameters"),
    ("augmentation: {blurr: {sigma: 2}}", "training.augmentation.blurr", "is not a known step"),
    ("augmentation: {rotation: {angle: 2}}", "training.augmentation.rotation.angle", "degrees"),
    ("augmentation: {grey: none}", "training.augmentation.grey", "cannot be removed"),
    ("clip: sometimes", "training.clip", "a number from 1e-06 to 1000000.0, or none"),
  ])
  func mistakesNameThePlace(_ line: String, _ key: String, _ hint: String) throws {
    let error = #expect(throws: RecipeError.self) { try training(line) }
    #expect(error?.key == key)
    #expect(error?.problem.contains(hint) == true, "\(String(describing: error))")
  }

  @Test func membersHaveTrainingOfTheirOwn() throws {
    let recipe = try Recipe(
      yaml: """
        name: two
        training: {clip: 1, loss: {labelSmoothing: 0.2}, swa: {from: 2}, earlyStop: 4}
        members:
          - {name: a, architecture: efficientnet-b0}
          - name: b
            architecture: xception
            training: {clip: none, swa: none, earlyStop: none, loss: {fakeWeight: 2}}
        """, file: "r.yaml")
    #expect(recipe.training(of: recipe.members[0]).clip == 1)
    let own = recipe.training(of: recipe.members[1])
    #expect(own.clip == nil && own.swa == nil && own.earlyStop == nil)
    #expect(own.loss.labelSmoothing == 0.2 && own.loss.kind == .bce(fakeWeight: 2))
    let bare = try Recipe(yaml: Self.minimal, file: "r.yaml")
    #expect(bare.training(of: bare.members[0]) == TrainingOptions())
  }

  @Test func aRecipeWrittenReadsBackAsTheSame() throws {
    for name in Recipe.builtInNames {
      let recipe = try Recipe.named(name)
      #expect(try Recipe(yaml: recipe.yaml, file: "w.yaml") == recipe, "\(recipe.yaml)")
    }
    var recipe = try Recipe.named("dfdc-silver")
    recipe.description = "odd: 'text' # [of] {all} \"kinds\""
    recipe.detector.kind = .mtcnn
    recipe.detector.minFace = nil
    recipe.members[0].mean = [0.1, 0.2, 0.3]
    recipe.members[0].std = [1, 2, 3]
    recipe.members[0].norm = nil
    recipe.members[0].groups = nil
    recipe.members[0].isMirrored = true
    var options = try training(
      """
      optimizer: {kind: sgd, sam: 0.1}
      schedule: {kind: cosine, minRate: 0.00000001}
      loss: {kind: focal, alpha: 0.25}
      augmentation: [strong, {mixup: {probability: 0.3}}]
      swa: {from: 3}
      freeze: [a, b]
      clip: 1
      ema: 0.9995
      earlyStop: 9
      """)
    recipe.members[0].training = options
    options.schedule.kind = .poly(power: 3)
    options.swa = nil
    options.optimizer.kind = .adamw(epsilon: 0.01)
    recipe.members[1].training = options
    options.schedule.kind = .step(every: 7)
    recipe.training = options
    recipe.members[2].training = TrainingOptions()
    let text = recipe.yaml
    #expect(try Recipe(yaml: text, file: "w.yaml") == recipe, "\(text)")
  }
}
