import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// The committed checkpoints: `Tests/Fixtures/make_checkpoints.py` made them with PyTorch.
@Suite("Weights: containers and contents")
struct CheckpointFixtureTests {
  private func expected(_ name: String) throws -> [String: ExpectedTensor] {
    try JSONDecoder().decode(
      [String: ExpectedTensor].self,
      from: Data(contentsOf: Paths.fixture("checkpoints/\(name).json")))
  }

  private func read(_ name: String, entry: String? = nil) throws -> StateDict {
    try StateDict.read(Paths.fixture("checkpoints/\(name)"), entry: entry)
  }

  @Test(arguments: ["zip.pth", "legacy.pth", "plain.safetensors"])
  func readsEveryContainer(_ name: String) throws {
    try expectExact(read(name), expected("expected"))
  }

  @Test(arguments: [
    "zip-protocol3.pth", "zip-protocol4.pth", "zip-protocol5.pth", "legacy-protocol3.pth",
    "legacy-protocol4.pth", "legacy-protocol5.pth", "deep.pth", "odd-name.pth", "compiled.pth",
    "parameters.pth", "training.pth",
  ])
  func readsEveryProtocolAndNesting(_ name: String) throws {
    try expectExact(read(name), expected("expected-tiny"))
  }

  @Test(arguments: ["kinds.pth", "kinds.safetensors"])
  func readsEveryElementType(_ name: String) throws {
    let state = try read(name)
    try expectExact(state, expected("expected-kinds"))
    for key in state.keys { #expect(state[key]?.dtype.rawValue == key.uppercased()) }
  }

  @Test func readsStorageViewsAndPython2Text() throws {
    try expectExact(read("legacy-view.pth"), expected("expected-legacy-view"))
  }

  @Test func ignoresAttributesOfStateDicts() throws {
    let state = try read("module-state.pth")
    try expectExact(state, expected("expected-module-state"))
    #expect(state.metadata.isEmpty)
  }

  @Test func plainValuesBecomeMetadata() throws {
    #expect(
      try read("training.pth").metadata == [
        "epoch": "7", "best": "0.5", "name": "b4", "bce": "0.125", "count": "-3",
        "single": "\(Double(Float(0.1)))",
      ])
    #expect(try read("deep.pth").metadata == ["epoch": "2"])
    #expect(
      try read("plain.safetensors").metadata == ["note": "quotes \" and \\ and ü and \n"])
  }

  @Test func takesTheEntryThatIsNamed() throws {
    try expectExact(read("two.pth", entry: "discriminator"), expected("expected-tiny"))
    try expectExact(read("deep.pth", entry: "model/state_dict"), expected("expected-tiny"))
    expectUnreadable("several state dicts (generator, discriminator)") { try read("two.pth") }
    expectUnreadable("no entry absent") { try read("two.pth", entry: "absent") }
    expectUnreadable("holds a number") { try read("deep.pth", entry: "model/epoch") }
  }

  @Test(arguments: [
    (name: "refuse-code.pth", found: "posix.system"),
    (name: "refuse-code-protocol4.pth", found: "posix.system"),
    (name: "refuse-code-legacy.pth", found: "posix.system"),
    (name: "refuse-module.pth", found: "torch.nn.modules.linear.Linear"),
    (name: "refuse-sparse.pth", found: "torch._utils._rebuild_sparse_tensor"),
    (name: "refuse-array.pth", found: "numpy._core.multiarray._reconstruct"),
    (name: "refuse-complex.pth", found: "torch.ComplexFloatStorage"),
  ])
  func refusesByName(_ file: (name: String, found: String)) throws {
    let error = #expect(throws: WeightsError.self) { try read(file.name) }
    guard case .refused(let name, let found)? = error else {
      Issue.record("\(file.name): \(String(describing: error)) is no refusal")
      return
    }
    #expect(name.hasSuffix(file.name))
    #expect(found == file.found)
    #expect(!FileManager.default.fileExists(atPath: "dfkit-was-owned"))
  }

  @Test func refusesExpandedTensors() throws {
    let error = #expect(throws: WeightsError.self) { try read("refuse-expanded.pth") }
    #expect(error?.description.contains("expand") == true)
  }

  @Test func saysWhatIsWrong() throws {
    expectUnreadable("compressed") { try read("refuse-compressed.pth") }
    expectUnreadable("big-endian") { try read("refuse-bigendian.pth") }
    expectUnreadable("holds no tensors") { try read("empty.pth") }
    expectUnreadable("no such file") { try read("absent.pth") }
    expectUnreadable("folder") { try read("") }
    try Paths.withTemporaryFolder { folder in
      let cases: [(bytes: [UInt8], word: String)] = [
        ([], "empty"), (Array("version https://git-lfs.github.com/spec/v1".utf8), "Git LFS"),
        (Array("<!doctype html>".utf8), "web page"), ([0x1F, 0x8B, 8, 0], "gzip"),
        ([0x89] + Array("HDF\r\n".utf8), "HDF5"), (Array("hello".utf8), "neither"),
        (Array("sys_info".utf8) + [UInt8](repeating: 0, count: 600), "tar format"),
        ([0x80, 2, 0x4B, 7, 0x2E], "plain pickle"), (Array("PK".utf8), "truncated"),
      ]
      for (bytes, word) in cases {
        let file = folder.appendingPathComponent("file.pth")
        try Data(bytes).write(to: file)
        expectUnreadable(word) { try StateDict.read(file) }
      }
      let locked = folder.appendingPathComponent("pipe.pth")
      #expect(mkfifo(locked.path, 0o600) == 0)
      expectUnreadable("not a regular file") { try StateDict.read(locked) }
    }
  }

  @Test func renamesAndRefusesCollisions() throws {
    let state = try read("zip.pth")
    let renamed = try state.renamingKeys { $0 == "nothing" ? nil : "net.\($0)" }
    #expect(renamed.count == state.count - 1)
    #expect(renamed.keys.first == "net.stem.weight")
    expectUnreadable("stem.weight and stem.bias would both be renamed to x") {
      try state.renamingKeys { $0.hasPrefix("stem") ? "x" : $0 }
    }
  }

  @Test func layoutsAreThoseOfMemory() throws {
    let state = try read("legacy.pth")
    let stem = try #require(state["stem.weight"])
    let file = try stem.tensor()
    let memory = try stem.tensor(layout: .convolution)
    #expect(memory.shape == [3, 3, 2, 4])
    for o in 0..<4 {
      for i in 0..<2 {
        for y in 0..<3 {
          for x in 0..<3 { #expect(memory[y, x, i, o] == file[o, i, y, x]) }
        }
      }
    }
    let head = try #require(state["head.weight"])
    #expect(try head.tensor(layout: .linear).shape == [4, 3])
    #expect(try head.tensor(layout: .linear)[1, 2] == head.tensor()[2, 1])
    #expect(head.withTrailingAxes(rank: 4).shape == [3, 4, 1, 1])
    #expect(try head.withTrailingAxes(rank: 4).tensor(layout: .convolution).shape == [1, 1, 4, 3])
    expectUnreadable("head.weight") { try head.tensor(layout: .convolution) }
  }
}

/// Expects `body` to throw `WeightsError.unreadable` with `words` in its message.
func expectUnreadable<R>(
  _ words: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> R
) {
  do {
    _ = try body()
    Issue.record("read, though it should not", sourceLocation: sourceLocation)
  } catch WeightsError.unreadable(_, let reason) {
    #expect(reason.contains(words), sourceLocation: sourceLocation)
  } catch {
    Issue.record("\(error)", sourceLocation: sourceLocation)
  }
}
