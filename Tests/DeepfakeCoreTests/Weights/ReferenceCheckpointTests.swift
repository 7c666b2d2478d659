import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// Every container that published weights use, and files that must be refused.
@Suite("Weights: reference checkpoints", .enabled(if: Paths.hasReference))
struct ReferenceCheckpointTests {
  private func expected(_ name: String = "expected.json") throws -> [String: ExpectedTensor] {
    try JSONDecoder().decode(
      [String: ExpectedTensor].self,
      from: Data(contentsOf: Paths.reference("checkpoints/\(name)")))
  }

  private func read(_ name: String) throws -> StateDict {
    try StateDict.read(Paths.reference("checkpoints/\(name)"))
  }

  @Test(arguments: [
    "zip.pth", "legacy.pth", "nested-module-prefix.pth", "plain.safetensors",
  ])
  func readsExactly(_ name: String) throws {
    try expectExact(read(name), expected())
  }

  @Test func keepsFileOrder() throws {
    let keys = try read("zip.pth").keys
    #expect(
      keys == [
        "conv.weight", "norm.weight", "norm.running_var", "norm.num_batches_tracked",
        "view.transposed", "view.row", "view.strided", "scalar", "empty",
      ])
    #expect(try read("legacy.pth").keys == keys)
  }

  @Test func plainValuesBecomeMetadata() throws {
    let nested = try read("nested-module-prefix.pth")
    #expect(nested.metadata == ["epoch": "3", "bce_best": "0.25"])
    let numpy = try read("numpy-scalar.pth")
    #expect(numpy.metadata == ["epoch": "3", "bce_best": "0.25"])
    #expect(numpy.keys == ["conv.weight"])
  }

  @Test(arguments: [
    (name: "half.pth", bits: 11), (name: "bfloat16.pth", bits: 8),
    (name: "half.safetensors", bits: 11),
  ])
  func readsHalvesWithinRounding(_ file: (name: String, bits: Int)) throws {
    let state = try read(file.name)
    let expected = try expected()
    if file.name.hasSuffix("pth") { #expect(Set(state.keys) == Set(expected.keys)) }
    for key in state.keys {
      let tensor = try #require(try state[key]?.tensor())
      let reference = try #require(expected[key])
      #expect(tensor.shape == reference.shape)
      for (found, value) in zip(tensor.scalars, reference.values) {
        // Half a unit in the last of `bits` significant bits.
        let ulp = value.ulp * Float(1 << (24 - file.bits))
        #expect(abs(found - value) <= ulp / 2, "\(key): \(found), expected \(value)")
      }
    }
  }

  @Test func readsModuleStateAndParameters() throws {
    try expectExact(
      read("module-state-dict.pth"), expected("expected-module-state-dict.json"))
    let parameters = try read("parameters.pth")
    #expect(parameters.keys == ["p", "b"])
    #expect(try parameters["p"]?.tensor().scalars == [0, 1, 2, 3, 4, 5])
    #expect(try parameters["p"]?.tensor(layout: .linear).scalars == [0, 3, 1, 4, 2, 5])
    #expect(try parameters["b"]?.tensor().scalars == [0.5, -0.5])
  }

  @Test(arguments: [
    (name: "refuse-code.pth", word: "posix.system"),
    (name: "refuse-code-legacy.pth", word: "posix.system"),
    (name: "refuse-whole-module.pth", word: "torch.nn.modules.linear.Linear"),
  ])
  func refusesCode(_ file: (name: String, word: String)) throws {
    let error = #expect(throws: WeightsError.self) { try read(file.name) }
    guard case .refused(_, let found)? = error else {
      Issue.record("\(file.name): \(String(describing: error)) is no refusal")
      return
    }
    #expect(found == file.word)
    #expect(!FileManager.default.fileExists(atPath: "dfkit-was-owned"))
  }

  @Test(arguments: [
    "refuse-header.safetensors", "refuse-offsets.safetensors", "refuse-truncated-legacy.pth",
    "refuse-truncated-plain.safetensors", "refuse-truncated-zip.pth",
  ])
  func reportsDamage(_ name: String) throws {
    let error = #expect(throws: WeightsError.self) { try read(name) }
    guard case .unreadable(let file, let reason)? = error else {
      Issue.record("\(name): \(String(describing: error)) does not say damage")
      return
    }
    #expect(file.hasSuffix(name))
    #expect(reason.count > 10)
  }

  @Test func opensPublishedDetectors() throws {
    let counts = ["mtcnn-pnet.pt", "mtcnn-rnet.pt", "mtcnn-onet.pt"].map {
      try? StateDict.read(Paths.reference("weights/\($0)")).count
    }
    #expect(counts == [13, 16, 21])
    let retina = try StateDict.read(Paths.reference("weights/retinaface-mobilenet0.25.pth"))
    #expect(retina["body.stage1.0.0.weight"]?.shape == [8, 3, 3, 3])
    #expect(retina["ClassHead.0.conv1x1.weight"]?.shape == [4, 64, 1, 1])
    for key in retina.keys {
      let values = try #require(try retina[key]?.tensor().scalars)
      #expect(values.allSatisfy { $0.isFinite }, "\(key)")
    }
  }
}
