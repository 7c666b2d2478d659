import DeepfakeCore
import FaceDetect
import TestSupport
import Testing

@Suite struct RetinaFaceWeightsTests {
  private func weights(_ change: (inout [String: [Int]]) -> Void) throws -> StateDict {
    let golden = try DetectorGolden.network(.mobileNet)
    var keys = golden.keys
    change(&keys)
    return StateDict(formula: keys, varianceScale: golden.varianceScale)
  }

  @Test func backbonesAreRecognizedFromKeys() throws {
    for backbone in RetinaFaceBackbone.allCases {
      let weights = try DetectorGolden.network(backbone).weights
      #expect(RetinaFaceBackbone(recognizing: weights) == backbone)
      for prefix in ["module.", "model.", "model.net."] {
        let wrapped = try weights.renamingKeys { prefix + $0 }
        #expect(RetinaFaceBackbone(recognizing: wrapped) == backbone)
      }
    }
    #expect(RetinaFaceBackbone(recognizing: StateDict(tensors: [])) == nil)
  }

  @Test func aDataParallelCheckpointLoads() throws {
    let golden = try DetectorGolden.network(.mobileNet)
    let plain = try RetinaFace(weights: golden.weights)
    for prefix in ["module.", "model."] {
      let wrapped = try RetinaFace(weights: golden.weights.renamingKeys { prefix + $0 })
      #expect(try plain.detect(golden.images) == wrapped.detect(golden.images))
    }
  }

  @Test func everyKeyAtFaultIsNamed() throws {
    let weights = try weights { keys in
      keys["fpn.merge1.0.weight"] = nil
      keys["ssh2.conv3X3.1.running_var"] = nil
      keys["ssh3.conv3X3.0.weight"] = [32, 64, 5, 5]
      keys["body.fc.weight"] = [1000, 256]
    }
    let error = #expect(throws: WeightsError.self) { try RetinaFace(weights: weights) }
    guard case .mismatch(let mismatch) = error else {
      Issue.record("\(String(describing: error)) is not a mismatch")
      return
    }
    #expect(mismatch.missing == ["fpn.merge1.0.weight", "ssh2.conv3X3.1.running_var"])
    #expect(mismatch.unused == ["body.fc.weight"])
    #expect(mismatch.misshapen.map(\.key) == ["ssh3.conv3X3.0.weight"])
    #expect(mismatch.misshapen.first?.found == [32, 64, 5, 5])
    #expect(mismatch.misshapen.first?.expected == [32, 64, 3, 3])
  }

  @Test func filesOfAnotherKindAreRefusedInWords() {
    let other = StateDict(
      tensors: [.init("conv_stem.weight", Tensor(zeros: [1, 1, 1, 1]))], file: "b4.safetensors")
    let error = #expect(throws: WeightsError.self) { try RetinaFace(weights: other) }
    let message = error.map { "\($0)" } ?? ""
    #expect(message.contains("b4.safetensors") && message.contains("RetinaFace"))
    #expect(message.contains("conv_stem.weight"))
  }
}
