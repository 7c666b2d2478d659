import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// What training scripts keep beside the weights: objects of any class are passed over, run
/// nothing, and are refused where a weight depends on them.
@Suite("Weights: objects beside the tensors")
struct PassedOverTests {
  private func read(_ build: (inout Pickle) -> Void) throws -> StateDict {
    var pickle = Pickle()
    build(&pickle)
    return try Paths.withTemporaryFolder { folder in
      let legacy = folder.appendingPathComponent("legacy.pth")
      try pickle.legacyFile(storages: [[1, 2, 3, 4, 5, 6]]).write(to: legacy)
      let archive = folder.appendingPathComponent("archive.pth")
      try pickle.archive(storages: [[1, 2, 3, 4, 5, 6]]).write(to: archive)
      let state = try StateDict.read(legacy)
      #expect(try StateDict.read(archive).keys == state.keys)
      return state
    }
  }

  /// A checkpoint with a state dict and what `build` writes under `extra`.
  private func checkpoint(_ build: (inout Pickle) -> Void) throws -> StateDict {
    try read { pickle in
      pickle.dictionary(["state_dict", "extra", "epoch"]) { pickle, key in
        switch key {
        case "state_dict": pickle.dictionary(["w"]) { pickle, _ in pickle.vector() }
        case "extra": build(&pickle)
        default: pickle.number(3)
        }
      }
    }
  }

  private func refused(_ body: () throws -> StateDict) -> String? {
    do {
      _ = try body()
    } catch WeightsError.refused(_, let found) {
      return found
    } catch {}
    return nil
  }

  /// Calls with one argument, an empty tuple, list or dictionary of items added after.
  private static let made: [(name: String, build: @Sendable (inout Pickle) -> Void)] = [
    (
      "argparse.Namespace",
      {
        $0.object("argparse", "Namespace", ["lr"]) {
          $0.code("N"); _ = $1
        }
      }
    ),
    (
      "datetime.datetime",
      { pickle in
        pickle.global("datetime", "datetime")
        pickle.global("_codecs", "encode")
        pickle.text("\u{7}\u{E4}\u{1}\u{1}\0\0\0\0\0\0")
        pickle.text("latin1")
        pickle.code(0x86, 0x52, 0x85, 0x52)
      }
    ),
    (
      "pathlib.PosixPath",
      { pickle in
        pickle.global("pathlib", "PosixPath")
        pickle.code("(")
        for part in ["/", "runs", "b0"] { pickle.text(part) }
        pickle.code(0x74, 0x52)
      }
    ),
    (
      "collections.defaultdict",
      { pickle in
        pickle.global("collections", "defaultdict")
        pickle.global("builtins", "list")
        pickle.code(0x85, 0x52, 0x28)
        pickle.text("loss")
        pickle.code("]")
        pickle.code("u")
      }
    ),
    (
      "collections.deque",
      { pickle in
        pickle.global("collections", "deque")
        pickle.code(0x29, 0x52, 0x28, 0x4E, 0x4E, 0x65)
      }
    ),
    (
      "collections.Counter",
      { pickle in
        pickle.global("collections", "Counter")
        pickle.code(0x7D, 0x85, 0x52)
      }
    ),
    (
      "numpy._core.multiarray._reconstruct",
      { pickle in
        pickle.global("numpy._core.multiarray", "_reconstruct")
        pickle.global("numpy", "ndarray")
        pickle.code(0x4B, 0, 0x85)
        pickle.text("b")
        pickle.code(0x87, 0x52, 0x28, 0x4B, 1, 0x4B, 0, 0x85)
        pickle.global("numpy", "dtype")
        pickle.text("f8")
        pickle.code(0x89, 0x88, 0x87, 0x52, 0x89)
        pickle.text("")
        pickle.code(0x74, 0x62)
      }
    ),
    (
      "train.Mode",
      { pickle in
        pickle.global("train", "Mode")
        pickle.text("fine")
        pickle.code(0x85, 0x52)
      }
    ),
    (
      "omegaconf.dictconfig.DictConfig",
      { pickle in
        pickle.object("omegaconf.dictconfig", "DictConfig", ["_content"]) { pickle, _ in
          pickle.dictionary(["lr"]) { pickle, _ in
            pickle.object("omegaconf.nodes", "AnyNode", ["_val"]) { pickle, _ in pickle.code("N") }
          }
        }
      }
    ),
    (
      // NEWOBJ_EX, with arguments by name.
      "train.Options",
      { pickle in
        pickle.global("train", "Options")
        pickle.code(0x29, 0x7D, 0x92)
      }
    ),
    (
      "train.Old",
      { pickle in
        pickle.code("("); pickle.instance("train", "Old")
      }
    ),
    (
      "train.Older",
      { pickle in
        pickle.code("(")
        pickle.global("train", "Older")
        pickle.code("N")
        pickle.code("o")
      }
    ),
    (
      "train.Oldest",
      { pickle in
        pickle.global("copy_reg", "_reconstructor")
        pickle.global("train", "Oldest")
        pickle.global("__builtin__", "object")
        pickle.code(0x4E, 0x87, 0x52)
      }
    ),
    (
      "functools.partial",
      { pickle in
        // What a call gave is called in turn.
        pickle.global("functools", "partial")
        pickle.code(0x29, 0x52, 0x29, 0x52)
      }
    ),
    (
      "posix.system",
      { pickle in
        pickle.global("posix", "system")
        pickle.text("touch dfkit-was-owned")
        pickle.code(0x85, 0x52)
      }
    ),
  ]

  @Test(arguments: made.indices) func objectsArePassedOver(_ index: Int) throws {
    let (name, build) = Self.made[index]
    let state = try checkpoint(build)
    #expect(state.keys == ["w"])
    #expect(try state["w"]?.tensor().scalars == [1, 2, 3, 4, 5, 6])
    #expect(state.metadata == ["epoch": "3"])
    #expect(state.checkpoint?.passedOver.contains(name) == true, "\(state.checkpoint as Any)")
    #expect(!FileManager.default.fileExists(atPath: "dfkit-was-owned"))
    // Where the state dict should be, and in it, they are refused by name, but for plain classes.
    #expect(refused { try read(build) } == name)
    let isPlain = ["argparse", "datetime", "pathlib", "collections"].contains {
      name.hasPrefix($0 + ".")
    }
    let inside: (inout Pickle) -> Void = { pickle in
      pickle.dictionary(["w", "x"]) { pickle, key in
        if key == "w" { pickle.vector() } else { build(&pickle) }
      }
    }
    if isPlain {
      #expect(try read(inside).keys == ["w"])
    } else {
      #expect(refused { try read(inside) } == name)
    }
  }

  @Test func weightsThatDependOnUnknownThingsAreRefused() throws {
    // A type of elements, and a function that remakes tensors.
    #expect(
      refused {
        try read { pickle in
          pickle.dictionary(["w"]) { pickle, _ in
            pickle.tensor(
              count: 6, offset: 0, shape: [6], strides: [1], type: "ComplexFloatStorage")
          }
        }
      } == "torch.ComplexFloatStorage")
    #expect(
      refused {
        try read { pickle in
          pickle.dictionary(["state_dict"]) { pickle, _ in
            pickle.dictionary(["v", "w"]) { pickle, key in
              if key == "v" { return pickle.vector() }
              pickle.global("torch._utils", "_rebuild_qtensor")
              pickle.vector()
              pickle.code(0x85, 0x52)
            }
          }
        }
      } == "torch._utils._rebuild_qtensor")
    // A network that was saved as an object is not replaced by some other tensors of the file.
    #expect(
      refused {
        try read { pickle in
          pickle.dictionary(["model", "criterion"]) { pickle, key in
            if key == "model" {
              pickle.object("yolo", "Model", ["w"]) { pickle, _ in pickle.vector() }
            } else {
              pickle.dictionary(["pos_weight"]) { pickle, _ in pickle.vector() }
            }
          }
        }
      } == "yolo.Model")
  }

  @Test func namesOfNetworksAreTakenOutOfOptions() throws {
    let state = try read { pickle in
      pickle.dictionary(["state_dict", "args", "config", "hyper_parameters"]) { pickle, key in
        switch key {
        case "state_dict": pickle.dictionary(["w"]) { pickle, _ in pickle.vector() }
        case "args":
          pickle.object("argparse", "Namespace", ["model", "data"]) { pickle, key in
            pickle.text(key == "model" ? "tf_efficientnet_b0" : "faces")
          }
        case "hyper_parameters":
          // A class of its own that is a dictionary, as Lightning's.
          pickle.global("lightning", "AttributeDict")
          pickle.code(0x29, 0x81)
          pickle.text("backbone")
          pickle.text("b7")
          pickle.code("s")
        default:
          pickle.dictionary(["model"]) { pickle, _ in
            pickle.dictionary(["name"]) { pickle, _ in pickle.text("b4") }
          }
        }
      }
    }
    #expect(
      state.metadata == [
        "args.model": "tf_efficientnet_b0", "config.model.name": "b4",
        "hyper_parameters.backbone": "b7",
      ])
  }

  @Test func objectsThatShareTheirArgumentsCostNothing() throws {
    // Every object's arguments are the same long tuple, and every object gets an item of its own.
    let state = try checkpoint { pickle in
      pickle.code("(")
      for _ in 0..<50_000 { pickle.code("N") }
      pickle.code("t")
      pickle.code(0x71, 1)
      pickle.code("0")
      pickle.global("a", "B")
      pickle.code(0x71, 2)
      pickle.code("0")
      pickle.code("]")
      pickle.code("(")
      for _ in 0..<50_000 { pickle.code(0x68, 2, 0x68, 1, 0x52, 0x4E, 0x61) }
      pickle.code("e")
    }
    #expect(state.checkpoint?.passedOver == ["a.B"])
  }

  @Test func everyCutIsAnError() throws {
    var pickle = Pickle()
    pickle.dictionary(["state_dict", "args"]) { pickle, key in
      if key == "args" {
        pickle.object("argparse", "Namespace", ["lr"]) { pickle, _ in pickle.number(1) }
      } else {
        pickle.dictionary(["w"]) { pickle, _ in pickle.vector() }
      }
    }
    let floats: [[Float]] = [[1, 2, 3, 4, 5, 6]]
    let files = [
      pickle.legacyFile(storages: floats), pickle.archive(storages: floats),
      pickle.archive(storages: floats, code: true),
    ]
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("cut.pth")
      for data in files {
        for length in 0..<data.count {
          try data.prefix(length).write(to: file)
          #expect(throws: WeightsError.self, "\(length)") { try StateDict.read(file) }
        }
      }
    }
  }
}
