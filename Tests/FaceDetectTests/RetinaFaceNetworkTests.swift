import DeepfakeCore
import FaceDetect
import Foundation
import TestSupport
import Testing

/// The network against a second implementation, with weights computed from names.
@Suite struct RetinaFaceNetworkTests {
  @Test(arguments: RetinaFaceBackbone.allCases)
  func outputsAgreeWithTheReference(backbone: RetinaFaceBackbone) throws {
    let golden = try DetectorGolden.network(backbone)
    let detector = try RetinaFace(weights: golden.weights)
    #expect(detector.backbone == backbone)
    let frames = Tensor(images: golden.images, normalization: RetinaFace.normalization)
    let output = detector.outputs(frames)
    for (found, expected, label) in [
      (output.logits, golden.logits, "logits"), (output.boxes, golden.boxes, "boxes"),
      (output.landmarks, golden.landmarks, "landmarks"),
    ] {
      #expect(found.shape == expected.shape, "\(label)")
      expectClose(expected.of(found), expected.values, tolerance: 1e-4, label)
    }
  }

  @Test(arguments: RetinaFaceBackbone.allCases)
  func packedEqualsPlain(backbone: RetinaFaceBackbone) throws {
    let golden = try DetectorGolden.network(backbone)
    let store = ParameterStore()
    let plain = PlainRetinaFace(backbone, store.root)
    try PlainRetinaFace.load(golden.weights, into: store)
    let frames = Tensor(images: golden.images, normalization: RetinaFace.normalization)
    let expected = plain(frames)
    let found = plain.packed()(frames)
    expectClose(found.logits, expected.logits, tolerance: 1e-4, "logits")
    expectClose(found.boxes, expected.boxes, tolerance: 1e-4, "boxes")
    expectClose(found.landmarks, expected.landmarks, tolerance: 1e-4, "landmarks")
    #expect(store.parameters.allSatisfy { !$0.isLoaded }, "packing releases the parameters")
  }

  @Test(arguments: RetinaFaceBackbone.allCases)
  func keysAreThePublishedOnes(backbone: RetinaFaceBackbone) throws {
    let golden = try DetectorGolden.network(backbone)
    let store = ParameterStore()
    _ = PlainRetinaFace(backbone, store.root)
    let expected = golden.keys.filter { !$0.key.hasSuffix("num_batches_tracked") }
    let found = store.parameters.map { ($0.key, $0.layout.fileShape($0.shape)) }
    #expect(Dictionary(uniqueKeysWithValues: found) == expected)
  }

  @Test(.enabled(if: Paths.hasReference), arguments: [0, 1])
  func resNet50AgreesWithThePublishedCode(index: Int) throws {
    let vector = try ReferenceOutputs.load()[index]
    let keys = try DetectorGolden.network(.resNet50).keys
    #expect(keys.count == vector.keys)
    let weights = StateDict(formula: keys, varianceScale: vector.variance_scale)
    let input = Formula.uniform(vector.input, count: vector.height * vector.width * 3)
    let frames = Tensor(
      input.map { Float(($0 - 0.5) * 200) }, shape: [1, vector.height, vector.width, 3])
    let output = try RetinaFace(weights: weights).outputs(frames)
    for (found, expected, label) in [
      (output.logits, vector.logits, "logits"), (output.boxes, vector.boxes, "boxes"),
      (output.landmarks, vector.landmarks, "landmarks"),
    ] {
      let values = found.scalars
      let step = max(1, values.count / 24)
      #expect(found.shape == expected.shape, "\(label)")
      expectClose(
        stride(from: 0, to: values.count, by: step).prefix(24).map { values[$0] },
        expected.sample, tolerance: 1e-4, label)
      let mean = values.reduce(0.0) { $0 + Double(abs($1)) } / Double(values.count)
      #expect(abs(mean - expected.abs_mean) < 1e-4, "\(label)")
    }
  }
}

/// One row of the reference material's retinaface-resnet50.json, named as there.
private struct ReferenceOutputs: Decodable {
  struct Part: Decodable {
    var shape: [Int]
    var abs_mean: Double
    var sample: [Float]
  }

  var width: Int
  var height: Int
  var input: String
  var variance_scale: Double
  var keys: Int
  var boxes, logits, landmarks: Part

  static func load() throws -> [ReferenceOutputs] {
    try JSONDecoder().decode(
      [ReferenceOutputs].self,
      from: Data(contentsOf: Paths.reference("vectors/retinaface-resnet50.json")))
  }
}
