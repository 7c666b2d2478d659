import DFKit
import Foundation

// The examples in the doc comments of Classifiers.

enum ClassifierExamples {
  struct Darkness: FaceScorer {
    func scores(_ crops: [Image]) throws -> [Float] {
      crops.map { crop in
        let mean = crop.resized(width: 1, height: 1, method: .area)[0, 0]
        return 1 - Float(mean.green) / 255
      }
    }
  }

  struct MyClassifier: FrameClassifier {
    let network: any Module
    let input = InputSpec(size: 224)
    let classCount = 1
    let batchSize = 16

    func logits(_ batch: Tensor) -> Tensor { network(batch) }
  }

  static func sequence(file: URL, crops: [Image]) throws -> [Float] {
    let scorer = try SequenceScorer(StateDict.read(file))
    let probability = scorer.scores(crops)  // one number for all crops of a person
    return probability
  }

  struct TopMean: Aggregator {
    let count: Int

    func aggregate(_ scores: [Float]) -> Float {
      let top = scores.sorted(by: >).prefix(count)
      return top.reduce(0, +) / Float(top.count)
    }
  }

  struct MeanByFrames: PeopleRule {
    func probability(_ people: [JudgedPerson]) -> Float {
      let frames = people.reduce(0) { $0 + $1.frames }
      return people.reduce(0) { $0 + $1.probability * Float($1.frames) } / Float(frames)
    }
  }

  static func ensemble(_ file: URL, _ other: URL, _ crops: [Image]) throws {
    let b0 = try ClassifierModel(StateDict.read(file))
    let b4 = try ClassifierModel(StateDict.read(other))
    let ensemble = Ensemble([.init("b0", b0), .init("b4", b4)], frames: .mean, models: .median)
    let assessment = try ensemble.assess(crops)
    print(assessment.probability, assessment.members.map(\.probability))
  }

  static func stackedAggregator(_ ensemble: inout Ensemble) throws {
    let samples = [
      StackedAggregator.Sample([0.9, 0.6], isFake: true),  // the scores of the two members
      StackedAggregator.Sample([0.2, 0.4], isFake: false),
    ]
    ensemble.models = try StackedAggregator.fitted(to: samples)
  }

  static func classifierModel(_ file: URL, _ crops: [Image]) throws -> [Float] {
    let model = try ClassifierModel(StateDict.read(file))
    print(model.settings.architecture.rawValue, model.input.size)
    let scores = try model.scores(crops)  // the probability of "fake" for each crop
    return scores
  }

  static func exported() throws {
    let weights = try StateDict.read(URL(fileURLWithPath: "b4.safetensors"))
    try ONNXModel(classifier: weights).write(to: URL(fileURLWithPath: "b4.onnx"))
  }

  static func anyClassifier(_ file: URL, _ crops: [Image]) throws -> [Float] {
    let classifier = try StateDict.read(file).classifier()
    let probabilities = try classifier.scores(crops)
    return probabilities
  }

  static func faceEmbedder(_ embedder: any FaceEmbedder, _ crop: Image, _ other: Image) throws
    -> Float
  {
    let rows = try embedder.embeddings([crop, other])
    let likeness = rows.matmul(rows, transposingRight: true)[0, 1]
    print(likeness >= embedder.lookAlikeThreshold ? "alike" : "not alike")
    return likeness
  }

  static func inputSpec(_ crops: [Image]) -> Tensor {
    var input = InputSpec(size: 224)
    input.fit = .letterbox
    let batch = input.prepare(crops)  // [crops, 224, 224, 3]
    return batch
  }

  static func classifierFamilies() {
    ClassifierFamilies.register(MesoNet())
    for family in ClassifierFamilies.all {
      print(family.architectures.map(\.rawValue), family.schemes.map(\.rawValue))
    }
  }

  static func classifierFamily(_ file: URL) throws -> Recipe {
    ClassifierFamilies.register(MesoNet())
    let recipe = try Recipe(contentsOf: file)  // may say "architecture: meso4"
    return recipe
  }

  static func architecture() -> (Architecture, Architecture?) {
    let b4 = Architecture.efficientNetB4
    let same = Architecture(rawValue: "efficientnet-b4")
    print(Architecture.allCases.map(\.rawValue))
    return (b4, same)
  }

  static func aggregatorName(_ recipe: inout Recipe) {
    recipe.aggregation.frames = .trimmedMean(fraction: 0.2)
    print(recipe.aggregation.frames)  // trimmed-mean:0.2
  }

  static func classifierNetwork(_ images: Tensor) -> (Tensor, ClassifierNetwork) {
    let network = ClassifierSettings(.efficientNetB0).makeNetwork()
    network.store.initialize(seed: 1)
    let logits = network(images)  // [batch, classCount]
    let fast = network.packed()  // the same layers, for inference
    return (logits, fast)
  }

  /// The family that examples register; Examples/CustomNetwork has the real one.
  private struct MesoNet: ClassifierFamily {
    let architectures = [Architecture("meso4")]
    let schemes = [Scheme("mesonet")]
    let identifyingKeys: [(scheme: Scheme, keys: [String])] = []

    func input(_ architecture: Architecture, _ scheme: Scheme) -> InputSpec { InputSpec(size: 256) }
    func recognises(_ architecture: Architecture, in checkpoint: PublishedKeys) -> Bool { false }
    func makeNetwork(
      _ settings: ClassifierSettings, dropout: Float?, stochasticDepth: Float?
    ) -> ClassifierNetwork {
      let store = ParameterStore()
      return ClassifierNetwork(
        store: store, stages: [[Conv2d(store.root / "conv1", 3, 8, kernel: 3)]],
        dropout: Dropout(store.root / "dropout", dropout ?? 0.5),
        last: Linear(store.root / "fc", 8, settings.classCount))
    }
  }
}
