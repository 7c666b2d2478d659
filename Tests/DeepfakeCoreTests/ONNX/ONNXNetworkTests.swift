import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// What `make_onnx_run.py` writes: inputs that are computed from their names, and samples of what
/// ONNX Runtime computes from them.
struct ONNXRunGolden: Decodable, Sendable, CustomTestStringConvertible {
  struct Sample: Decodable, Sendable {
    var shape: [Int]
    /// The distance between the elements in `values`.
    var step: Int
    var values: [Float]
  }

  var file: String
  var inputs: [String: [Int]]
  /// The width of the range around 0 from which the inputs' elements are; 4 if it is not stated.
  var scale: Double?
  var outputs: [String: Sample]

  var testDescription: String { file }

  static func load(_ name: String) -> [ONNXRunGolden] {
    let url = Paths.fixture("onnx_run/\(name)")
    guard let data = try? Data(contentsOf: url) else { return [] }
    return (try? JSONDecoder().decode([ONNXRunGolden].self, from: data)) ?? []
  }

  var tensors: [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    for (name, shape) in inputs {
      let values = Formula.uniform(name, count: shape.reduce(1, *))
      tensors[name] = Tensor(values.map { Float(($0 - 0.5) * (scale ?? 4)) }, shape: shape)
    }
    return tensors
  }

  func check(
    _ found: [String: Tensor], tolerance: Float, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(Set(found.keys) == Set(outputs.keys), sourceLocation: sourceLocation)
    for (name, expected) in outputs {
      guard let tensor = found[name] else { continue }
      #expect(tensor.shape == expected.shape, "\(name)", sourceLocation: sourceLocation)
      let scalars = tensor.scalars
      expectClose(
        stride(from: 0, to: scalars.count, by: expected.step).map { scalars[$0] },
        expected.values, tolerance: tolerance, name, sourceLocation: sourceLocation)
    }
  }
}

@Suite("ONNX: networks")
struct ONNXNetworkTests {
  private static let golden = ONNXRunGolden.load("expected.json")

  @Test func theFixturesHoldEveryOperation() throws {
    #expect(Self.golden.count == 15)
    var found: Set<String> = []
    for golden in Self.golden {
      let state = try StateDict.read(Paths.fixture("onnx_run/\(golden.file)"))
      found.formUnion(try #require(state.graph).nodes.map(\.operation))
    }
    #expect(ONNXNetwork.operations.filter { !found.contains($0) } == [])
  }

  @Test(arguments: golden)
  func outputsAgreeWithONNXRuntime(_ golden: ONNXRunGolden) throws {
    let network = try ONNXNetwork(
      StateDict.read(Paths.fixture("onnx_run/\(golden.file)")))
    #expect(Set(network.inputs.map(\.name)) == Set(golden.inputs.keys))
    let found = try network(golden.tensors)
    golden.check(found, tolerance: 1e-5)
    // A network can run again, and its result is the same.
    #expect(try network(golden.tensors).mapValues(\.scalars) == found.mapValues(\.scalars))
  }

  @Test(.enabled(if: Paths.hasReference), arguments: ONNXRunGolden.load("reference.json"))
  func publishedNetworksAgreeWithONNXRuntime(_ golden: ONNXRunGolden) throws {
    let network = try ONNXNetwork(
      StateDict.read(Paths.reference("weights/\(golden.file)")))
    golden.check(try network(golden.tensors), tolerance: 5e-5)
  }

  @Test func imagesNeedNoTransposition() throws {
    let golden = try #require(Self.golden.first { $0.file == "network.onnx" })
    let network = try ONNXNetwork(StateDict.read(Paths.fixture("onnx_run/network.onnx")))
    #expect(network.inputs.map(\.name) == ["images"])
    #expect(network.inputs.first?.shape == [nil, 3, nil, nil])
    #expect(network.outputs == ["features", "logits", "probabilities"])
    let images = try #require(golden.tensors["images"]).transposed([0, 2, 3, 1])
    let found = try network.run(images: images)
    #expect(found.map(\.name) == network.outputs)
    golden.check(
      Dictionary(uniqueKeysWithValues: found.map { ($0.name, $0.value) }), tolerance: 1e-5)
  }

  @Test func anInputOfNHWCImagesIsRecognized() throws {
    var bytes = ONNXBytes()
    bytes.input("x", [1, 4, 5, 3])
    bytes.node("Transpose", ["x"], ["t"], integers: ["perm": [0, 3, 1, 2]])
    bytes.node("Conv", ["t", "w"], ["y"])
    bytes.output("y")
    let network = try ONNXNetwork(bytes.state())
    let images = Tensor((0..<60).map { Float($0) }, shape: [1, 4, 5, 3])
    let found = try network.run(images: images)
    #expect(found[0].value.shape == [1, 3, 4, 5])
    #expect(
      found[0].value[0, 2, 1, 3] == 0.5
        * (images[0, 1, 3, 0] + images[0, 1, 3, 1]
          + images[0, 1, 3, 2]))
    #expect(try network(["x": images])["y"]?.scalars == found[0].value.scalars)
  }

  @Test func integersAreInputsAndOutputs() throws {
    var bytes = ONNXBytes()
    bytes.input("i", [2], type: 7)
    bytes.tensor("table", [3, 1], floats: [5, 6, 7])
    bytes.node("Gather", ["table", "i"], ["rows"], integer: ["axis": 0])
    bytes.node("Add", ["i", "i"], ["twice"])
    bytes.output("rows")
    bytes.output("twice")
    let network = try ONNXNetwork(bytes.state())
    let found = try network(["i": Tensor([2, -3], shape: [2])])
    #expect(found["rows"]?.scalars == [7, 5])
    #expect(found["twice"]?.scalars == [4, -6])
    #expect(throws: WeightsError.self) { try network(["i": Tensor([0.5, 1], shape: [2])]) }
    #expect(throws: WeightsError.self) { try network(["i": Tensor([2, 3], shape: [2])]) }
  }
}

/// Graphs that dfkit does not run, and what the message must name.
@Suite("ONNX: refused networks")
struct ONNXRefusedNetworkTests {
  typealias Change = @Sendable (inout ONNXBytes) -> Void

  private func message(
    _ change: Change, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    var bytes = ONNXBytes()
    bytes.input("x", [1, 3, -1, 5])
    change(&bytes)
    bytes.output("y")
    let state = try bytes.state()
    let error = #expect(throws: WeightsError.self, sourceLocation: sourceLocation) {
      _ = try ONNXNetwork(state)(["x": Tensor(repeating: 1, shape: [1, 3, 4, 5])])
    }
    return error?.description ?? ""
  }

  static let refused: [(change: Change, words: String)] = [
    (
      {
        $0.node("DeformConv", ["x", "w"], ["a"])
        $0.node("NonMaxSuppression", ["a"], ["b"])
        $0.node("DeformConv", ["b"], ["c"])
        $0.node("Relu", ["c"], ["y"], domain: "com.example")
      }, "does not have: DeformConv, NonMaxSuppression, com.example.Relu"
    ),
    ({ $0.node("If", ["x"], ["y"]) }, "If"),
    (
      {
        $0.node("Add", ["x", "b"], ["a"])
        $0.node("Relu", ["a"], ["b"])
        $0.node("Relu", ["b"], ["y"])
      }, "node the_Add (Add) reads b, which that node or one after it computes"
    ),
    ({ $0.node("Add", ["x", "y"], ["y"]) }, "cycle"),
    ({ $0.node("Add", ["x", "nowhere"], ["y"]) }, "reads nowhere, which is neither"),
    ({ $0.node("Relu", ["x"], ["z"]) }, "output y is computed by no node"),
    (
      {
        $0.node("Relu", ["x"], ["y"])
        $0.node("Relu", ["x"], ["y"])
      }, "exists already"
    ),
    ({ $0.node("Relu", ["x"], ["w"]) }, "exists already"),
    (
      {
        $0.node("Dropout", ["x"], ["a", "mask"])
        $0.node("Mul", ["a", "mask"], ["y"])
      }, "reads mask, an output that dfkit does not compute"
    ),
    (
      {
        $0.opset = 40
        $0.node("Relu", ["x"], ["y"])
      }, "version 40"
    ),
    (
      {
        $0.input("u", [1], type: 2)
        $0.node("Relu", ["x"], ["y"])
      }, "U8"
    ),
    ({ $0.node("Conv", ["x", "w"], ["y"], text: ["auto_pad": "SAME_LOWER"]) }, "SAME_LOWER"),
    ({ $0.node("Conv", ["x", "w"], ["y"], integers: ["strides": [2]]) }, "two dimensions"),
    ({ $0.node("Conv", ["x", "w"], ["y"], integers: ["strides": [0, 1]]) }, "strides is [0, 1]"),
    ({ $0.node("Conv", ["x", "w"], ["y"], integers: ["pads": [0, 0, -1, 0]]) }, "pads"),
    ({ $0.node("Conv", ["x", "w"], ["y"], integer: ["group": 2]) }, "2 groups"),
    ({ $0.node("Conv", ["x"], ["y"]) }, "input 2 is missing"),
    (
      {
        $0.tensor("two", [2], floats: [1, 2])
        $0.node("Conv", ["x", "w"], ["a"])
        $0.node("BatchNormalization", ["a", "two", "two", "two", "two"], ["y"])
      }, "the norm after it has parameters of shape [2] for 3 channels"
    ),
    (
      {
        $0.tensor("two", [2], floats: [1, 2])
        $0.node("Conv", ["x", "w"], ["a"], integers: ["strides": [1, 2]])
        $0.node("BatchNormalization", ["a", "two", "two", "two", "two"], ["y"])
      }, "the norm after it has parameters of shape [2] for 3 channels"
    ),
    ({ $0.node("Pad", ["x"], ["y"], text: ["mode": "reflect"]) }, "reflect"),
    (
      { $0.lstm(["y"], texts: ["activations": ["Sigmoid", "Tanh", "Relu"]]) },
      "its activations Sigmoid, Tanh, Relu"
    ),
    ({ $0.lstm(["y"], integer: ["layout": 1]) }, "setting layout 1"),
    ({ $0.lstm(["y"], integer: ["input_forget": 1]) }, "setting input_forget 1"),
    ({ $0.lstm(["y"], integer: ["clip": 1]) }, "setting clip"),
    ({ $0.lstm(["y"], inputs: ["", "", "", "", "lw"]) }, "peepholes"),
    ({ $0.lstm(["y"], integer: ["hidden_size": 3]) }, "[1, 8, 5], [1, 8, 2] do not fit forward"),
    ({ $0.lstm(["y"], text: ["direction": "sideways"]) }, "direction sideways"),
    ({ $0.lstm(["", ""]) }, "has no output"),
    ({ $0.node("Cast", ["x"], ["y"], integer: ["to": 8]) }, "type 8"),
    ({ $0.node("Resize", ["x"], ["y"], text: ["mode": "cubic"]) }, "cubic"),
  ]

  @Test(arguments: refused)
  func aGraphIsRefusedInWords(_ change: Change, _ words: String) throws {
    let message = try message(change)
    #expect(message.contains(words), "\(message)")
    #expect(message.contains("small.onnx"))
  }

  /// Values that do not fit when the graph runs.
  static let misfits: [(change: Change, words: String)] = [
    (
      {
        $0.tensor("v", [4], floats: [1, 2, 3, 4])
        $0.node("Add", ["x", "v"], ["y"])
      }, "in node the_Add (Add), its shapes [1, 3, 4, 5] and [4] do not broadcast"
    ),
    (
      {
        $0.tensor("k", [2, 2, 1, 1], floats: [1, 2, 3, 4])
        $0.node("Conv", ["x", "k"], ["y"])
      }, "in node the_Conv (Conv), its input has 3 channels"
    ),
    (
      {
        $0.tensor("k", [1, 3, 9, 1], floats: [Float](repeating: 1, count: 27))
        $0.node("Conv", ["x", "k"], ["y"])
      }, "smaller than its window"
    ),
    (
      {
        $0.tensor("s", integers: [7, -1])
        $0.node("Reshape", ["x", "s"], ["y"])
      }, "cannot have the shape [7, -1]"
    ),
    (
      {
        $0.tensor("s", integers: [1 << 62, 1 << 62])
        $0.node("Expand", ["x", "s"], ["y"])
      }, "do not broadcast"
    ),
    (
      {
        $0.tensor("s", integers: [1 << 20, 1, 1, 1, 1])
        $0.node("Expand", ["x", "s"], ["a"])
        $0.node("Expand", ["a", "s"], ["y"])
        $0.tensor("big", integers: [1 << 40, 1, 1, 1, 1])
        $0.node("Expand", ["x", "big"], ["z"])
        $0.output("z")
      }, "elements"
    ),
    (
      {
        $0.tensor("p", integers: [0, 0, 1 << 60, 0, 0, 0, 0, 0])
        $0.node("Pad", ["x", "p"], ["y"])
      }, "margins"
    ),
    (
      {
        $0.node(
          "MaxPool", ["x"], ["y"], integers: ["kernel_shape": [2, 2], "pads": [2, 0, 0, 0]])
      }, "padding"
    ),
    ({ $0.node("Transpose", ["x"], ["y"], integers: ["perm": [0, 0, 1, 2]]) }, "permutation"),
    (
      {
        $0.tensor("i", integers: [3])
        $0.node("Gather", ["x", "i"], ["y"], integer: ["axis": 1])
      }, "index 3 is outside"
    ),
    ({ $0.node("Concat", ["x", "w"], ["y"], integer: ["axis": 1]) }, "differ"),
    ({ $0.node("Softmax", ["x"], ["y"], integer: ["axis": 4]) }, "axis 4"),
    (
      {
        $0.lstm(["z"])
        $0.node("LSTM", ["x", "lw", "lr"], ["y"], integer: ["hidden_size": 2])
      }, "is not a list of steps with 5 features"
    ),
    (
      {
        $0.tensor("l", integers: [4])
        $0.lstm(["y"], inputs: ["", "l"])
      }, "its lengths [4] do not fit its input [3, 4, 5]"
    ),
    (
      {
        $0.tensor("h", [1, 3, 2], floats: [1, 2, 3, 4, 5, 6])
        $0.lstm(["y"], inputs: ["", "", "h"])
      }, "its first state of shape [1, 3, 2] is not [1, 4, 2]"
    ),
    ({ $0.node("Gemm", ["x", "w"], ["y"]) }, "not a matrix"),
    ({ $0.node("MatMul", ["x", "w"], ["y"]) }, "do not fit"),
    (
      {
        $0.node("Shape", ["x"], ["s"])
        $0.node("Sigmoid", ["s"], ["y"])
      }, "holds integers"
    ),
    (
      {
        $0.tensor("low", integers: [0])
        $0.tensor("big", integers: [Int.max])
        $0.node("Shape", ["x"], ["s"])
        $0.node("Mul", ["s", "big"], ["a"])
        $0.node("Div", ["s", "low"], ["y"])
        $0.output("a")
      }, "not an integer of 64 bits"
    ),
  ]

  @Test(arguments: misfits)
  func whatDoesNotFitNamesTheNode(_ change: Change, _ words: String) throws {
    let message = try message(change)
    #expect(message.contains(words), "\(message)")
    #expect(message.contains("node the_"))
  }

  @Test func inputsMustBeThoseOfTheNetwork() throws {
    let network = try ONNXNetwork(StateDict.read(Paths.fixture("onnx_run/network.onnx")))
    let images = Tensor(zeros: [1, 3, 8, 8])
    for (inputs, words) in [
      ([:], "images is missing"), (["images": images, "other": images], "no input other"),
      (["images": Tensor(zeros: [1, 4, 8, 8])], "[any, 3, any, any]"),
      (["images": Tensor(zeros: [1, 3, 8])], "not [1, 3, 8]"),
      (["images": Tensor(zeros: [0, 3, 8, 8])], "no elements"),
    ] {
      let error = #expect(throws: WeightsError.self) { try network(inputs) }
      #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }
    #expect(throws: WeightsError.self) { try network.run(images: Tensor(zeros: [1, 8, 8, 4])) }
    let weights = try StateDict.read(Paths.fixture("checkpoints/plain.safetensors"))
    #expect(throws: WeightsError.self) { try ONNXNetwork(weights) }
  }
}

extension ONNXBytes {
  /// Adds an LSTM with weights of its own for 5 features and 2 outputs, which reads the input x [1,
  /// 3, 4, 5] without its first axis.
  fileprivate mutating func lstm(
    _ outputs: [String], inputs: [String] = [], integer: [String: Int] = [:],
    text: [String: String] = [:], texts: [String: [String]] = [:]
  ) {
    tensor("lw", [1, 8, 5], floats: [Float](repeating: 0.5, count: 40))
    tensor("lr", [1, 8, 2], floats: [Float](repeating: 0.5, count: 16))
    tensor("axes", integers: [0])
    node("Squeeze", ["x", "axes"], ["rows"])
    node(
      "LSTM", ["rows", "lw", "lr"] + inputs, outputs,
      integer: ["hidden_size": 2].merging(integer) { $1 }, text: text, texts: texts)
  }
}
