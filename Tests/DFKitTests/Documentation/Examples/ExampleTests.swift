import DFKit
import Foundation
import Testing

/// Examples that need no files say what their comments promise.
@Suite struct ExampleTests {
  private func plain(_ width: Int, _ height: Int, grey: UInt8) -> Image {
    Image(width: width, height: height) { $0.update(repeating: grey) }
  }

  @Test func tensors() {
    let (product, value, gradient) = CoreExamples.tensor()
    #expect(product.scalars == [8, 11, 16, 23])
    #expect(value == 30)
    #expect(gradient.scalars == [2, 4, 6, 8])
    #expect(
      CoreExamples.seededGenerator().rows.scalars == CoreExamples.seededGenerator().rows.scalars)
    #expect(CoreExamples.seededGenerator().die == CoreExamples.seededGenerator().die)
    #expect(CoreExamples.image().pixels == [230, 40, 40, 200, 200, 200])
    let probabilities = CoreExamples.logitCalibration()
    #expect(probabilities.map { ($0 * 100).rounded() } == [69, 71])
  }

  @Test func layers() throws {
    #expect(CoreExamples.module(Tensor(zeros: [1, 8, 8, 3])).shape == [1, 8, 8, 16])
    #expect(CoreExamples.conv2d(Tensor(zeros: [2, 64, 64, 3])).shape == [2, 32, 32, 16])
    #expect(CoreExamples.linear(Tensor(zeros: [2, 1280])).shape == [2, 1])
    let lstm = CoreExamples.lstm(Tensor(zeros: [2, 25, 2304]))
    #expect(lstm.frames.shape == [2, 25, 1024] && lstm.summary.shape == [4, 2, 512])
    #expect(CoreExamples.normLayer(Tensor(zeros: [2, 4, 4, 16])).shape == [2, 4, 4, 16])
    #expect(
      CoreExamples.parameterStore().parameters.map(\.key)
        == ["classifier.weight", "classifier.bias"])
    let store = ParameterStore()
    let head = CoreExamples.scope(store)
    #expect(store.parameters.map(\.key) == ["heads.0.last.weight", "heads.0.last.bias"])
    store.initialize(seed: 1)
    #expect(head(Tensor(zeros: [2, 32])).shape == [2, 1])
    #expect(try CoreExamples.networkSettings(StateDict(tensors: [])).size == 224)
  }

  @Test func learning() {
    let store = ParameterStore()
    let layer = Linear(store.root, 2, 1)
    store.initialize(seed: 1)
    let x = Tensor([1, 2, -1, -2], shape: [2, 2])
    let labels = Tensor([1, 0], shape: [2, 1])
    let before = layer(x).binaryCrossEntropy(labels).item
    CoreExamples.optimizer(layer, store, x, labels)
    #expect(layer(x).binaryCrossEntropy(labels).item < before)
    let far = layer(x).squaredError(labels).item
    CoreExamples.adamW(layer, store, x, labels)
    #expect(layer(x).squaredError(labels).item < far)
    var optimizer: any Optimizer = SGD(learningRate: 1)
    CoreExamples.learningRateSchedule(&optimizer)
    #expect(optimizer.learningRate < 1e-5)
  }

  @Test func detection() throws {
    #expect(DetectionExamples.box() == 1 / Float(3))
    let photo = plain(40, 30, grey: 9)
    let faces = try DetectionExamples.WholePicture().detect([photo, photo])
    #expect(faces.map { $0.map(\.box.area) } == [[1200], [1200]])
    #expect(DetectionExamples.frameScale().frameScale == .auto)
  }

  @Test func scorers() throws {
    let crops = [plain(8, 8, grey: 0), plain(8, 8, grey: 255)]
    #expect(try ClassifierExamples.Darkness().scores(crops) == [1, 0])
    let mean = FunctionLayer { $0.mean(axes: [1, 2, 3]).reshaped([$0.shape[0], 1]) }
    let scores = try ClassifierExamples.MyClassifier(network: mean).scores(crops)
    #expect(scores.count == 2 && scores[0] < 0.5 && scores[1] > 0.5)
    let likeness = try ClassifierExamples.faceEmbedder(MeanColorEmbedder(), crops[0], crops[1])
    #expect(abs(likeness - 1) < 1e-6)
    #expect(ClassifierExamples.inputSpec(crops).shape == [2, 224, 224, 3])
  }

  @Test func rules() throws {
    #expect(ClassifierExamples.TopMean(count: 2).aggregate([0.25, 0, 0.75]) == 0.5)
    let people = [
      JudgedPerson(id: 1, probability: 1, frames: 1, faceArea: 9),
      JudgedPerson(id: 2, probability: 0, frames: 3, faceArea: 9),
    ]
    #expect(ClassifierExamples.MeanByFrames().probability(people) == 0.25)
    let darkness = ClassifierExamples.Darkness()
    var ensemble = Ensemble(scorers: [darkness, darkness])
    try ClassifierExamples.stackedAggregator(&ensemble)
    #expect(ensemble.models.aggregate([0.9, 0.6]) > ensemble.models.aggregate([0.2, 0.4]))
    var recipe = Recipe(name: "mine", members: [])
    ClassifierExamples.aggregatorName(&recipe)
    #expect(recipe.aggregation.frames.description == "trimmed-mean:0.2")
  }

  @Test func networks() {
    let (b4, same) = ClassifierExamples.architecture()
    #expect(b4 == same)
    let images = Tensor(zeros: [1, 64, 64, 3])
    let (logits, fast) = ClassifierExamples.classifierNetwork(images)
    #expect(logits.shape == [1, 1])
    #expect(fast(images).shape == [1, 1])
  }

  @Test func recipes() throws {
    let recipe = try PredictionExamples.recipe()
    #expect(recipe.frames == 50)
    #expect(recipe.people.verdict == .mean)
    try PredictionExamples.shippedWeights(plain(64, 64, grey: 128))
  }

  @Test func datasets() throws {
    #expect(TrainingExamples.faceSample().samples.map(\.person) == ["anna"])
    let samples = (0..<40).map { index in
      var sample = FaceSample(path: "\(index).png", label: index % 2 == 0 ? .real : .fake)
      sample.person = "person \(index / 4)"
      return sample
    }
    let split = try TrainingExamples.holdOut(FaceManifest(samples))
    let (training, heldOut) = (split.training.samples, split.heldOut.samples)
    #expect(training.count + heldOut.count == 40)
    #expect(Set(training.map(\.person)).isDisjoint(with: heldOut.map(\.person)))
  }

  @Test func training() {
    let crop = plain(120, 140, grey: 90)
    let fake = TrainingExamples.selfBlending(crop)
    #expect((fake.width, fake.height) == (120, 140))
    #expect(fake == TrainingExamples.selfBlending(crop))
    let changed = TrainingExamples.augmentation(crop)
    #expect((changed.width, changed.height) == (224, 224))
    // At logit 0: (1 - 1/2)^2 log 2, whatever the labels.
    let loss = TrainingExamples.lossOptions(Tensor(zeros: [2, 1]), Tensor([0, 1], shape: [2]))
    #expect(abs(loss.item - 0.25 * log(2)) < 1e-6)
    let network = TrainableNetwork(ClassifierSettings(.efficientNetB0))
    #expect(TrainingExamples.trainingOptions(network).options.epochs == 10)
  }
}
