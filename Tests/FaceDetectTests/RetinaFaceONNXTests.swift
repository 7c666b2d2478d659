import DeepfakeCore
import FaceDetect
import Foundation
import TestSupport
import Testing

/// ONNX models of RetinaFace, in which batch norm is folded in and names are lost.
@Suite struct RetinaFaceONNXTests {
  private func load(_ golden: ONNXGolden) throws -> StateDict {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("model.onnx")
      try golden.file.write(to: file)
      return try StateDict.read(file)
    }
  }

  @Test func outputsAgreeWithONNXRuntime() throws {
    let golden = try ONNXGolden.load()
    let detector = try RetinaFace(weights: load(golden))
    #expect(detector.backbone == .mobileNet)
    let output = detector.outputs(golden.frame)
    for (found, expected, label) in [
      (output.logits, golden.logits, "logits"), (output.boxes, golden.boxes, "boxes"),
      (output.landmarks, golden.landmarks, "landmarks"),
    ] {
      #expect(found.shape == expected.shape, "\(label)")
      expectClose(expected.of(found), expected.values, tolerance: 1e-4, label)
    }
  }

  @Test func theDetectorIsRecognizedAndGetsThePublishedKeys() throws {
    let state = try load(.load())
    #expect(DetectorWeights(recognizing: state)?.architecture == "retinaface-mobilenet0.25")
    let keys = try DetectorGolden.network(.mobileNet).keys.filter {
      !$0.key.hasSuffix("num_batches_tracked")
    }
    let renamed = try state.renamedFromRetinaFaceGraph()
    #expect(Set(renamed.keys) == Set(keys.keys))
    #expect(renamed.keys.allSatisfy { renamed[$0]?.shape == keys[$0] })
    // Renaming again changes nothing.
    #expect(try renamed.renamedFromRetinaFaceGraph().keys == renamed.keys)
  }

  @Test func normsThatAreNotFoldedAreTaken() throws {
    let golden = try DetectorGolden.network(.mobileNet)
    let graph = try ONNXGolden.load().unfolded(golden.weights)
    let expected = try RetinaFace(weights: golden.weights)
    let found = try RetinaFace(weights: load(graph))
    let frame = graph.frame
    expectClose(
      found.outputs(frame).boxes, expected.outputs(frame).boxes, tolerance: 1e-4, "boxes")
  }

  /// Changes of the graph that make it another network, and what the message must name.
  static let changes: [(change: @Sendable (inout ONNXGolden) -> Void, words: String)] = [
    ({ $0.nodes[0].attributes["strides"] = .list([1, 1]) }, "strides of body.stage1.0.0.weight"),
    ({ $0.nodes[2].attributes["group"] = .number(4) }, "group of body.stage1.1.0.weight"),
    ({ $0.nodes[0].attributes["pads"] = .list([0, 0, 1, 1]) }, "pads"),
    (
      { $0.nodes[1].attributes["alpha"] = .number(0.2) },
      "body.stage1.0.0.weight must be followed by"
    ),
    ({ $0.nodes[1].kind = "Relu" }, "must be followed by"),
    ({ $0.nodes[1].kind = "Sigmoid" }, "must be followed by"),
    ({ $0.nodes[3].kind = "HardSwish" }, "body.stage1.1.0.weight must be followed by"),
    (
      { golden in
        let output = golden.nodes[3].outputs[0]
        golden.nodes[4].inputs[0] = "squashed"
        golden.nodes.insert(
          ONNXGolden.Node(
            kind: "Tanh", inputs: [output], outputs: ["squashed"], attributes: [:]), at: 4)
      }, "must be followed by LeakyRelu 0.1, not LeakyRelu 0.1 and Tanh"
    ),
    ({ $0.nodes[4].inputs[0] = $0.nodes[1].outputs[0] }, "matches no convolution of RetinaFace"),
    ({ $0.nodes[0].inputs[1] = "nothing" }, "computed, not stored"),
    (
      { $0.nodes.removeAll { $0.outputs == ["landmarks"] || $0.kind == "Conv" && $0.shapeIs20 } },
      "LandmarkHead"
    ),
    ({ $0.nodes.removeAll { $0.kind == "Conv" } }, "begins with no convolution"),
    (
      { golden in
        // One branch of a context module is not read.
        let places = golden.nodes.indices.filter { golden.nodes[$0].kind == "Concat" }
        guard let place = places.first(where: { golden.nodes[$0].inputs.count == 3 }) else {
          return
        }
        golden.nodes[place].inputs[1] = golden.nodes[place].inputs[0]
      }, "ssh1.conv5X5_2.0.weight must be followed by"
    ),
  ]

  @Test(arguments: changes.indices)
  func anotherGraphIsRefusedInWords(_ index: Int) throws {
    var golden = try ONNXGolden.load()
    Self.changes[index].change(&golden)
    let state = try load(golden)
    #expect(DetectorWeights(recognizing: state) == nil)
    let error = #expect(throws: WeightsError.self) { try RetinaFace(weights: state) }
    #expect(error?.description.contains(Self.changes[index].words) == true, "\(error as Any)")
    #expect(error?.description.contains("model.onnx") == true)
  }

  @Test(.enabled(if: Paths.hasReference))
  func thePublishedWeightsAreTheSameInEitherForm() throws {
    let files = ["pth", "onnx"].map {
      Paths.reference("weights/retinaface-mobilenet0.25.\($0)")
    }
    let detectors = try files.map { try RetinaFace(weights: StateDict.read($0)) }
    let frame = try ONNXGolden.load().frame
    let outputs = detectors.map { $0.outputs(frame) }
    expectClose(outputs[1].logits, outputs[0].logits, tolerance: 1e-4, "logits")
    expectClose(outputs[1].boxes, outputs[0].boxes, tolerance: 1e-4, "boxes")
    expectClose(outputs[1].landmarks, outputs[0].landmarks, tolerance: 1e-4, "landmarks")
  }

  @Test(.enabled(if: Paths.hasReference))
  func anotherNetworksModelIsNoRetinaFace() throws {
    let state = try StateDict.read(Paths.reference("weights/mobilefacenet.onnx"))
    #expect(DetectorWeights(recognizing: state) == nil)
    let error = #expect(throws: WeightsError.self) { try RetinaFace(weights: state) }
    #expect(error?.description.contains("[64, 3, 3, 3]") == true)
  }
}
