import DeepfakeCore
import FaceDetect
import Foundation
import TestSupport
import Testing

@Suite struct MTCNNWeightsTests {
  /// One network's tensors under its own keys, as its published file has them.
  private func part(_ part: MTCNNPart, _ all: StateDict) throws -> StateDict {
    try all.renamingKeys { key in
      key.hasPrefix(part.rawValue + ".") ? String(key.dropFirst(part.rawValue.count + 1)) : nil
    }
  }

  private func message(_ body: () throws -> Void) -> String {
    let error = #expect(throws: WeightsError.self) { try body() }
    return error.map { "\($0)" } ?? ""
  }

  @Test(arguments: ["", "mtcnn-"])
  func aFolderEqualsOneFile(prefix: String) throws {
    let golden = try MTCNNGolden.load()
    try Paths.withTemporaryFolder { folder in
      for name in MTCNNPart.allCases {
        try part(name, golden.weights).write(
          safetensors: folder.appendingPathComponent("\(prefix)\(name.rawValue).safetensors"))
      }
      let one = folder.appendingPathComponent("one.safetensors")
      try golden.weights.write(safetensors: one)
      let fromFolder = try MTCNN.readWeights(folder)
      let fromFile = try MTCNN.readWeights(one)
      #expect(Set(fromFolder.keys) == Set(golden.keys.keys) && fromFile.count == fromFolder.count)
      #expect(DetectorWeights(recognizing: fromFolder)?.architecture == "mtcnn")
      let g = golden.detections[1]
      let found = try MTCNN(weights: fromFolder, options: g.options).detect([g.image])
      #expect(try MTCNN(weights: fromFile, options: g.options).detect([g.image]) == found)
      #expect(found[0].count == g.faces.count)
    }
  }

  @Test func filesOfAFolderAreCheckedOneByOne() throws {
    let golden = try MTCNNGolden.load()
    try Paths.withTemporaryFolder { folder in
      func place(_ name: MTCNNPart) -> URL {
        folder.appendingPathComponent("\(name.rawValue).safetensors")
      }
      let nothing = message { _ = try MTCNN.readWeights(folder) }
      #expect(nothing.contains("without pnet.pt, rnet.pt, onet.pt."))
      for name in MTCNNPart.allCases {
        try part(name, golden.weights).write(safetensors: place(name))
      }
      try FileManager.default.removeItem(at: place(.rnet))
      let missing = message { _ = try MTCNN.readWeights(folder) }
      #expect(missing.contains(folder.lastPathComponent) && missing.contains("without rnet.pt."))
      // The wrong network under the name.
      try part(.onet, golden.weights).write(safetensors: place(.rnet))
      let swapped = message { _ = try MTCNN.readWeights(folder) }
      #expect(swapped.contains("rnet.safetensors") && swapped.contains("dense4.weight"))
    }
  }

  @Test func everyKeyAtFaultIsNamed() throws {
    var keys = try MTCNNGolden.load().keys
    keys["rnet.prelu4.weight"] = nil
    keys["onet.dense5.weight"] = [256, 1151]
    keys["onet.extra"] = [3]
    let weights = MTCNNGolden.weights(keys)
    let error = #expect(throws: WeightsError.self) { try MTCNN(weights: weights) }
    guard case .mismatch(let mismatch) = error else {
      Issue.record("\(String(describing: error)) is not a mismatch")
      return
    }
    #expect(mismatch.missing == ["rnet.prelu4.weight"])
    #expect(mismatch.unused == ["onet.extra"])
    #expect(mismatch.misshapen.map(\.key) == ["onet.dense5.weight"])
    #expect(mismatch.misshapen.first?.expected == [256, 1152])
  }

  @Test(arguments: MTCNNPart.allCases)
  func oneNetworkAloneSaysWhatIsMissing(name: MTCNNPart) throws {
    let all = try MTCNNGolden.load().weights
    let alone = try part(name, all)
    #expect(DetectorWeights(recognizing: alone)?.architecture == "mtcnn-\(name.rawValue)")
    let said = message { _ = try MTCNN(weights: alone) }
    #expect(said.contains("it is only \(name.name) of MTCNN") && said.contains("onet.pt"))
    let prefixed = try all.renamingKeys { $0.hasPrefix(name.rawValue) ? $0 : nil }
    #expect(DetectorWeights(recognizing: prefixed)?.architecture == "mtcnn-\(name.rawValue)")
  }

  @Test func detectorsAreNotTakenForEachOther() throws {
    let retinaFace = try DetectorGolden.network(.mobileNet).weights
    #expect(DetectorWeights(recognizing: retinaFace)?.detector == "retinaface")
    let toMTCNN = message { _ = try MTCNN(weights: retinaFace) }
    #expect(toMTCNN.contains("RetinaFace") && toMTCNN.contains("name the detector retinaface"))
    let mtcnn = try MTCNNGolden.load().weights
    let toRetinaFace = message { _ = try RetinaFace(weights: mtcnn) }
    #expect(toRetinaFace.contains("name the detector mtcnn"))
    let other = StateDict(
      tensors: [.init("conv_stem.weight", Tensor(zeros: [1, 1, 1, 1]))], file: "b4.safetensors")
    #expect(DetectorWeights(recognizing: other) == nil)
    let neither = message { _ = try MTCNN(weights: other) }
    #expect(neither.contains("b4.safetensors") && neither.contains("conv_stem.weight"))
  }
}
