import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// Checkpoints that try to reach outside their storage, to use up memory or time, or to run code.
@Suite("Weights: hostile checkpoints")
struct HostileCheckpointTests {
  private func read(_ data: Data, suffix: String = "pth") throws -> StateDict {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("hostile.\(suffix)")
      try data.write(to: file)
      return try StateDict.read(file)
    }
  }

  private func read(
    storages: [[Float]] = [[1, 2, 3, 4, 5, 6]], _ build: (inout Pickle) -> Void
  ) throws -> StateDict {
    var pickle = Pickle()
    build(&pickle)
    return try read(pickle.legacyFile(storages: storages))
  }

  private func tensorFile(offset: Int = 0, shape: [Int], strides: [Int]) throws -> StateDict {
    try read { pickle in
      pickle.code("}")
      pickle.text("weight")
      pickle.tensor(count: 6, offset: offset, shape: shape, strides: strides)
      pickle.code("s")
    }
  }

  @Test func acceptsWhatFits() throws {
    let state = try tensorFile(offset: 1, shape: [2, 2], strides: [3, 1])
    #expect(try state["weight"]?.tensor().scalars == [2, 3, 5, 6])
    #expect(
      try tensorFile(shape: [3, 2], strides: [0, 1])["weight"]?.tensor().scalars == [
        1, 2, 1, 2, 1, 2,
      ])
    #expect(try tensorFile(offset: 6, shape: [0, 9], strides: [9, 1])["weight"]?.count == 0)
  }

  static let outside: [(offset: Int, shape: [Int], strides: [Int])] = [
    (offset: 0, shape: [7], strides: [1]), (offset: 1, shape: [6], strides: [1]),
    (offset: -1, shape: [2], strides: [1]), (offset: 7, shape: [0], strides: [1]),
    (offset: 0, shape: [2], strides: [6]), (offset: 5, shape: [2], strides: [-1]),
    (offset: 0, shape: [-1], strides: [1]), (offset: 0, shape: [2, 3], strides: [1]),
    (offset: 0, shape: [1 << 62, 1 << 62], strides: [0, 0]),
    (offset: 0, shape: [3], strides: [1 << 62]),
    (offset: 0, shape: [1 << 62, 4], strides: [1, 1]),
    (offset: 0, shape: [0, 1 << 62, 1 << 62], strides: [1, 1, 1]),
    (offset: 1 << 30, shape: [1], strides: [1]),
    (offset: 0, shape: [Int](repeating: 1, count: 65), strides: [Int](repeating: 1, count: 65)),
  ]

  @Test(arguments: outside)
  func refusesTensorsOutsideTheirStorage(
    _ tensor: (offset: Int, shape: [Int], strides: [Int])
  ) throws {
    #expect(throws: WeightsError.self) {
      try tensorFile(offset: tensor.offset, shape: tensor.shape, strides: tensor.strides)
    }
  }

  @Test func expansionHasItsLimit() throws {
    // 64 Mi floats are the limit that the reader states.
    #expect(try tensorFile(shape: [1 << 26], strides: [0])["weight"]?.count == 1 << 26)
    let error = #expect(throws: WeightsError.self) {
      try tensorFile(shape: [(1 << 26) + 1], strides: [0])
    }
    #expect(error?.description.contains("expand") == true)
  }

  @Test func deepNestingIsHarmless() throws {
    // Lists in lists in lists: recursion over them would overflow any stack.
    expectUnreadable("a list") {
      try read(storages: []) { pickle in
        for _ in 0..<500_000 { pickle.code("]") }
        for _ in 1..<500_000 { pickle.code("a") }
      }
    }
    expectUnreadable("a tuple") {
      try read(storages: []) { pickle in
        pickle.code("N")
        for _ in 0..<1_000_000 { pickle.code(0x85) }
      }
    }
    #expect(throws: WeightsError.self) {
      try read { pickle in for _ in 0..<100_000 { pickle.code("(") } }
    }
  }

  @Test func cyclesAreHarmless() throws {
    let state = try read { pickle in
      pickle.code("}")
      pickle.text("weight")
      pickle.tensor(count: 6, offset: 0, shape: [6], strides: [1])
      pickle.code("s")
      pickle.text("cycle")
      pickle.code("]")
      pickle.code(UInt8(ascii: "q"), 9)
      pickle.code(UInt8(ascii: "h"), 9)
      pickle.code("a")
      pickle.code("s")
    }
    #expect(state.keys == ["weight"])
    expectUnreadable("no tensors") {
      try read(storages: []) { pickle in
        pickle.code("}")
        pickle.code(UInt8(ascii: "q"), 0)
        pickle.text("model")
        pickle.code(UInt8(ascii: "h"), 0)
        pickle.code("s")
      }
    }
  }

  @Test func sharedContainersAreVisitedOnce() throws {
    // 20,000 references to one list of 20,000 items, and "laughs": each list holds the last one
    // twice.
    let state = try read { pickle in
      pickle.code("}")
      pickle.text("weight")
      pickle.tensor(count: 6, offset: 0, shape: [6], strides: [1])
      pickle.code("s")
      pickle.text("list")
      pickle.code("]")
      pickle.code(UInt8(ascii: "q"), 0)
      pickle.code("(")
      for _ in 0..<20_000 { pickle.code("N") }
      pickle.code("e")
      pickle.code("s")
      for index in 0..<20_000 {
        pickle.text("k\(index)")
        pickle.code(UInt8(ascii: "h"), 0)
        pickle.code("s")
      }
      pickle.text("laughs")
      pickle.code("N")
      for _ in 0..<200 {
        pickle.code("2")
        pickle.code(0x86)
      }
      pickle.code("s")
    }
    #expect(state.keys == ["weight"])
  }

  @Test func repeatedTextIsLimited() throws {
    let error = #expect(throws: WeightsError.self) {
      try read { pickle in
        pickle.text(String(repeating: "a", count: 1 << 20))
        pickle.code(UInt8(ascii: "q"), 0)
        pickle.code("0")
        pickle.text("latin1")
        pickle.code(UInt8(ascii: "q"), 1)
        for _ in 0..<10_000 {
          pickle.global("_codecs", "encode")
          pickle.code(UInt8(ascii: "h"), 0)
          pickle.code(UInt8(ascii: "h"), 1)
          pickle.code(0x86)
          pickle.code("R")
        }
      }
    }
    guard case .refused? = error else {
      Issue.record("\(String(describing: error)) is no refusal")
      return
    }
  }

  @Test func onePairListInManyDictionariesIsLimited() throws {
    let error = #expect(throws: WeightsError.self) {
      try read { pickle in
        pickle.code("]")
        pickle.code(UInt8(ascii: "q"), 0)
        pickle.code("(")
        for _ in 0..<100_000 {
          pickle.code(UInt8(ascii: "N"), UInt8(ascii: "N"))
          pickle.code(0x86)
        }
        pickle.code("e")
        for _ in 0..<10_000 {
          pickle.global("collections", "OrderedDict")
          pickle.code(UInt8(ascii: "h"), 0)
          pickle.code(0x85)
          pickle.code("R")
        }
      }
    }
    guard case .refused? = error else {
      Issue.record("\(String(describing: error)) is no refusal")
      return
    }
  }

  @Test(
    arguments: [
      [0x8B, 0xFF, 0xFF, 0xFF, 0x7F], [0x8B, 0xFF, 0xFF, 0xFF, 0xFF],
      [0x8D, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0x58, 0xFF, 0xFF, 0xFF, 0xFF],
      [0x95, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0x6A, 0xFF, 0xFF, 0xFF, 0xFF],
      [0x74], [0x75], [0x61], [0x52], [0x62], [0x51], [0x30], [0x32], [0x85], [0x68, 0],
      [0x4E, 0x52],
      [0x29, 0x29, 0x52], [0x5D, 0x75], [0x28, 0x4E, 0x64], [0x28, 0x4E, 0x75], [0x80, 9], [0xFF],
      [0x63, 0x61, 0x0A], [0x28, 0x28, 0x31, 0x74],
    ] as [[UInt8]])
  func malformedInstructionsAreErrors(_ codes: [UInt8]) throws {
    #expect(throws: WeightsError.self) {
      try read { pickle in for code in codes { pickle.code(code) } }
    }
  }

  @Test func callsAreRefused() throws {
    // A call where the state dict should be; elsewhere it is passed over (`PassedOverTests`).
    let names = [
      ("os", "system"), ("builtins", "eval"), ("__builtin__", "getattr"), ("torch", "load"),
      ("torch._utils", "_rebuild_qtensor"), ("numpy", "load"), ("collections", "defaultdict"),
      ("torch.storage", "_load_from_bytes"), ("torch.nn.modules.container", "Sequential"),
    ]
    for (module, name) in names {
      let error = #expect(throws: WeightsError.self) {
        try read { pickle in
          pickle.global(module, name)
          pickle.code(")")
          pickle.code("R")
        }
      }
      guard case .refused(_, let found)? = error else {
        Issue.record("\(String(describing: error)) is no refusal")
        continue
      }
      #expect(found == "\(module).\(name)")
    }
    // INST and an extension code, which call without naming a function on the stack.
    for codes in [Array("(ios\nsystem\n".utf8), [0x82, 1], [0x29, 0x93], [0x29, 0x81]] {
      #expect(throws: WeightsError.self) {
        try read { pickle in for code in codes { pickle.code(code) } }
      }
    }
  }

  @Test func oldNumpyNumbersAreRead() throws {
    let state = try read { pickle in
      pickle.code("}")
      pickle.text("state_dict")
      pickle.code("}")
      pickle.text("w")
      pickle.tensor(count: 6, offset: 0, shape: [6], strides: [1])
      pickle.code("s")
      pickle.code("s")
      pickle.text("loss")
      pickle.global("numpy.core.multiarray", "scalar")
      pickle.global("numpy", "dtype")
      pickle.text("f8")
      pickle.code(0x89, 0x88, 0x87)
      pickle.code("R")
      pickle.code("(")
      pickle.number(3)
      pickle.text("<")
      pickle.code(UInt8(ascii: "N"), UInt8(ascii: "N"), UInt8(ascii: "N"))
      pickle.code("t")
      pickle.code("b")
      pickle.global("_codecs", "encode")
      pickle.text("\0\0\0\0\0\0\u{D0}?")
      pickle.text("latin1")
      pickle.code(0x86)
      pickle.code("R")
      pickle.code(0x86)
      pickle.code("R")
      pickle.code("s")
    }
    #expect(state.metadata == ["loss": "0.25"])
  }

  @Test func headersOfSafetensorsAreChecked() throws {
    let tensor = #""a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#
    let cases: [(json: String, data: Int, word: String)] = [
      ("{\(tensor)}", 3, "beyond the end|truncated"), ("{\(tensor)}", 5, "belong to no tensor"),
      ("{\(tensor),\(tensor)}", 4, "repeats a key"), ("{\(tensor)", 4, "JSON"),
      ("[1]", 0, "JSON object"), ("{\"a\":1}", 0, "does not describe"),
      ("{\(tensor),\(tensor.replacing("\"a\"", with: "\"b\""))}", 4, "ends at 4"),
      ("{\(tensor.replacing("[0,4]", with: "[1,5]"))}", 5, "ends at 0"),
      ("{\(tensor.replacing("[0,4]", with: "[4,0]"))}", 4, "beyond the end"),
      ("{\(tensor.replacing("[0,4]", with: "[-4,0]"))}", 4, "beyond the end"),
      ("{\(tensor.replacing("[1]", with: "[-1]"))}", 4, "impossible"),
      ("{\(tensor.replacing("[1]", with: "[2]"))}", 4, "needs 8 bytes"),
      ("{\(tensor.replacing("[1]", with: "[4611686018427387904,4]"))}", 4, "impossible"),
      ("{\(tensor.replacing("[1]", with: "[0,4611686018427387904,4611686018427387904]"))}", 4, ""),
      ("{\(tensor.replacing("[1]", with: "[1.0]"))}", 4, "missing"),
      ("{\(tensor.replacing("shape", with: "sharp"))}", 4, "unexpected entry sharp"),
      ("{\"__metadata__\":{\"a\":1},\(tensor)}", 4, "not text"),
      (String(repeating: "[", count: 1 << 20), 0, "JSON"),
    ]
    for (json, data, words) in cases {
      let file = safetensors(json, data: data)
      let error = #expect(throws: WeightsError.self) { try read(file, suffix: "safetensors") }
      let message = error?.description ?? ""
      #expect(
        words.isEmpty || words.split(separator: "|").contains { message.contains($0) },
        "\(json.prefix(100)): \(message.prefix(200))")
    }
    let unknown = safetensors(
      #"{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}"#, data: 1)
    let error = #expect(throws: WeightsError.self) { try read(unknown, suffix: "safetensors") }
    #expect(error?.description.contains("F8_E4M3") == true)
    let escaped = safetensors(
      #"{"\u0061\ud83d\ude00":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  "#, data: 4)
    #expect(try read(escaped, suffix: "safetensors").keys == ["a😀"])
  }

  private func safetensors(_ json: String, data: Int) -> Data {
    var header = Pickle()
    header.integer(UInt64(json.utf8.count))
    return Data(header.bytes.dropFirst(2) + Array(json.utf8)) + Data(count: data)
  }
}
