import DFKit
import Foundation

// The examples in the doc comments of FaceData and Training, and of training in DFKit.

enum TrainingExamples {
  static func faceManifest(_ folder: URL) throws {
    let manifest = try FaceManifest.read(folder)  // the folder with manifest.csv, or the file
    print(manifest.count(.real), manifest.count(.fake))
    for sample in manifest.samples.prefix(5) { print(sample.path, sample.label) }
  }

  static func faceSample() -> FaceManifest {
    var sample = FaceSample(path: "faces/anna-01.png", label: .real)
    sample.person = "anna"
    sample.video = "anna.mp4"
    let manifest = FaceManifest([sample])
    return manifest
  }

  static func holdOut(_ manifest: FaceManifest) throws -> DataSplit {
    let holdOut = HoldOut(fraction: 0.2, seed: 1)
    let split = try holdOut.split(manifest)
    print(split.training.count, split.heldOut.count, split.rule.rawValue)
    return split
  }

  static func augmentation(_ crop: Image) -> Image {
    let augmentation = Augmentation(preset: .strong)
    var generator = SeededGenerator(seed: 1)
    let changed = augmentation(crop, for: InputSpec(size: 224), using: &generator)
    return changed
  }

  static func selfBlending(_ crop: Image) -> Image {
    let landmarks = [(40, 50), (80, 50), (60, 75), (45, 95), (75, 95)].map {
      Point(x: $0.0, y: $0.1)  // eyes, nose, corners of the mouth
    }
    var generator = SeededGenerator(seed: 1)
    let fake = SelfBlending().fake(of: crop, landmarks: landmarks, using: &generator)
    return fake
  }

  static func faceLoader(_ manifest: FaceManifest) throws {
    let order = try Sampler(manifest, order: .shuffled, seed: 1).indices(epoch: 0)
    let options = FaceLoader.Options(batchSize: 20, input: InputSpec(size: 224))
    let loader = FaceLoader(manifest, order: order, options)
    while let batch = try loader.next() { print(batch.images.shape, batch.labels.scalars) }
  }

  static func lossOptions(_ logits: Tensor, _ labels: Tensor) -> Tensor {
    var loss = LossOptions()
    loss.kind = .focal(gamma: 2)
    loss.labelSmoothing = 0.1
    let value = loss(logits, labels)  // logits [n, 1], labels [n]: 1 is fake
    return value
  }

  static func trainingOptions(_ network: TrainableNetwork) -> Trainer {
    var options = TrainingOptions()
    options.epochs = 10
    options.optimizer.learningRate = 3e-4
    options.augmentation = .strong
    let trainer = Trainer(network, options)
    return trainer
  }

  static func trainer(_ folder: URL, _ output: URL) throws {
    let split = try HoldOut(fraction: 0.2).split(FaceManifest.read(folder))
    let trainer = Trainer(TrainableNetwork(ClassifierSettings(.efficientNetB0)))
    let result = try trainer.run(
      training: split.training, validation: split.heldOut, in: RunFolder(output))
    print(result.best.path, result.epochs.last?.frames?.auc ?? .nan)
  }

  static func runFolder(_ output: URL) throws -> ClassifierModel {
    let run = RunFolder(output)
    print(try String(contentsOf: run.metrics, encoding: .utf8))  // a line an epoch
    let model = try ClassifierModel(StateDict.read(run.best))
    return model
  }

  static func trainingJob(_ faces: URL, _ output: URL) throws {
    let recipe = try Recipe.named("dfdc-silver")
    let job = try TrainingJob(
      recipe: recipe, member: recipe.member("b4-224-aug"), data: [faces],
      folder: RunFolder(output))
    let result = try job.run(job.plan())
    print(result.best.path)
  }
}
