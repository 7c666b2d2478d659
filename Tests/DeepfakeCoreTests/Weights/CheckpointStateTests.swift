import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// Checkpoints with several states, those of TorchScript, and what PyTorch's wrappers add to keys.
@Suite("Weights: states of checkpoints")
struct CheckpointStateTests {
  /// A checkpoint with a dictionary of one vector under each name, whose first number is the name's
  /// place, and a path `a/b` for nested ones.
  private func withFile<R>(_ names: [String], _ body: (URL) throws -> R) throws -> R {
    var pickle = Pickle()
    pickle.dictionary(names) { pickle, name in
      let place = names.firstIndex(of: name) ?? 0
      pickle.dictionary(["w", "b"]) { pickle, _ in pickle.vector(storage: "\(place)") }
    }
    let storages = names.indices.map { [Float($0), 0, 0, 0, 0, 0] }
    return try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("states.pth")
      try pickle.legacyFile(storages: storages).write(to: file)
      return try body(file)
    }
  }

  private func place(_ state: StateDict) throws -> Float {
    try #require(try state["w"]?.tensor().scalars.first)
  }

  @Test(arguments: [
    ["state_dict", "state_dict_ema"], ["model", "model_ema"], ["model", "ema_state_dict"],
    ["params", "params_ema"], ["net", "ema"],
  ])
  func theUsualStateIsTakenAndTheOtherCanBe(_ names: [String]) throws {
    try withFile(names) { file in
      let state = try StateDict.read(file)
      let usual = try place(state)
      #expect(state.checkpoint?.state == names[Int(usual)])
      #expect(state.checkpoint?.others.map(\.name) == [names[1 - Int(usual)]])
      #expect(state.checkpoint?.others.first?.tensors == 2)
      #expect(state.checkpoint?.rivals(tensors: 2).count == 1)
      #expect(state.checkpoint?.rivals(tensors: 40).isEmpty == true)
      for (index, name) in names.enumerated() {
        let chosen = try StateDict.read(file, entry: name)
        #expect(try place(chosen) == Float(index))
        #expect(chosen.checkpoint?.state == name)
      }
      #expect(try place(StateDict.read(file, entry: "EMA")) == 1)
      expectUnreadable("no entry teacher; its states are \(names[0]), \(names[1])") {
        try StateDict.read(file, entry: "teacher")
      }
    }
  }

  @Test func withoutAUsualNameSomebodyMustChoose() throws {
    try withFile(["student", "teacher", "optimizer"]) { file in
      expectUnreadable("(student, teacher") { try StateDict.read(file) }
      expectUnreadable("--state") { try StateDict.read(file) }
      let teacher = try StateDict.read(file, entry: "teacher")
      #expect(try place(teacher) == 1)
      // What an optimizer keeps is no state of the network.
      #expect(teacher.checkpoint?.others.map(\.name) == ["student"])
      expectUnreadable("no entry e;") { try StateDict.read(file, entry: "e") }
    }
  }

  @Test func onlyCheckpointsHaveStates() throws {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("plain.safetensors")
      try StateDict(tensors: [.init("w", Tensor(zeros: [2]))]).write(safetensors: file)
      #expect(try StateDict.read(file).checkpoint == nil)
      expectUnreadable("no ema") { try StateDict.read(file, entry: "ema") }
    }
  }

  private func keys(_ keys: [String]) throws -> [String] {
    var pickle = Pickle()
    pickle.dictionary(keys) { pickle, _ in pickle.vector() }
    return try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("keys.pth")
      try pickle.legacyFile(storages: [[1, 2, 3, 4, 5, 6]]).write(to: file)
      return try StateDict.read(file).keys
    }
  }

  @Test func wrappersOfPyTorchAreDropped() throws {
    #expect(try keys(["module.a.w", "module.b"]) == ["a.w", "b"])
    #expect(try keys(["module._orig_mod.module.a", "module._orig_mod.module.b"]) == ["a", "b"])
    #expect(try keys(["n_averaged", "module.a", "module.b"]) == ["a", "b"])
    #expect(try keys(["n_averaged", "a"]) == ["n_averaged", "a"])
    #expect(try keys(["module.a", "b"]) == ["module.a", "b"])
    // Others are the network's to know.
    #expect(try keys(["model.a", "model.b"]) == ["model.a", "model.b"])
  }

  @Test func commonBeginningsAreWholeNames() {
    func prefixes(_ keys: [String], others: Set<String> = []) -> [String] {
      StateDict(tensors: keys.map { .init($0, Tensor(zeros: [1])) }).commonPrefixes(others: others)
    }
    #expect(prefixes(["model.net.a.w", "model.net.b"]) == ["", "model.", "model.net."])
    #expect(prefixes(["model.a", "modelb.a"]) == [""])
    #expect(prefixes(["a.b", "a.c", "x"], others: ["x"]) == ["", "a."])
    #expect(prefixes(["a"]) == [""] && prefixes([]) == [""])
  }

  // MARK: TorchScript

  private func script(_ build: (inout Pickle) -> Void) throws -> StateDict {
    var pickle = Pickle()
    build(&pickle)
    return try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("script.pt")
      try pickle.archive(storages: [[1, 2, 3, 4, 5, 6]], code: true).write(to: file)
      return try StateDict.read(file)
    }
  }

  @Test func modulesOfTorchScriptAreRead() throws {
    let state = try script { pickle in
      pickle.object("__torch__.net", "Net", ["training", "conv", "scale", "head"]) { pickle, key in
        switch key {
        case "training": pickle.code(0x88)
        case "scale": pickle.vector()
        default:
          pickle.object("__torch__.torch.nn.modules.linear", "Linear", ["weight", "bias"]) {
            pickle, key in
            if key == "bias" { pickle.code("N") } else { pickle.vector() }
          }
        }
      }
    }
    #expect(state.keys == ["scale", "conv.weight", "head.weight"])
    #expect(try state["head.weight"]?.tensor().scalars == [1, 2, 3, 4, 5, 6])
    #expect(state.checkpoint?.isTorchScript == true)
    #expect(state.checkpoint?.passedOver.isEmpty == true)
  }

  @Test func modulesWithoutTensorsOrInCirclesAreErrors() throws {
    expectUnreadable("TorchScript archive whose modules hold no tensors") {
      try script { $0.object("__torch__.net", "Net", []) { _, _ in } }
    }
    let error = #expect(throws: WeightsError.self) {
      try script { pickle in
        pickle.global("__torch__.net", "Net")
        pickle.code(0x29, 0x81, 0x71, 0)
        pickle.dictionary(["a", "b"]) { pickle, _ in pickle.code(0x68, 0) }
        pickle.code("b")
      }
    }
    #expect(error?.description.contains("many times") == true)
  }
}
