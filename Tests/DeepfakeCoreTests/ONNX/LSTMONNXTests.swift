import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// LSTMs of dfkit as ONNX models, and PyTorch's own export.
@Suite("ONNX: LSTM") struct LSTMONNXTests {
  /// What a model puts out of an LSTM's results.
  enum Result: String, CaseIterable {
    case steps, hidden, cell, all

    func callAsFunction(_ output: LSTM.Output) -> Tensor {
      switch self {
      case .steps: output.steps
      case .hidden: output.final.hidden
      case .cell: output.final.cell
      case .all:
        .concatenated(
          [output.steps, output.final.hidden, output.final.cell].map { $0.reshaped([-1]) },
          axis: 0)
      }
    }
  }

  private func model(
    _ golden: LSTMGolden, _ result: Result, batch: Int? = nil
  ) throws -> (model: ONNXModel, feed: [Tensor], expected: Tensor) {
    let (lstm, _) = golden.network()
    var feed = [golden.x] + (golden.state.map { [$0.hidden, $0.cell] } ?? [])
    if let batch {
      feed = feed.enumerated().map { $1.slice(axis: $0 == 0 ? 0 : 1, 0..<batch) }
    }
    let lengths = golden.lengths.map { Array($0[..<(batch ?? golden.batch)]) }
    func run(_ inputs: [Tensor]) -> Tensor {
      let state = golden.hasState ? LSTM.State(hidden: inputs[1], cell: inputs[2]) : nil
      return result(lstm(inputs[0], lengths: lengths, from: state))
    }
    return (try ONNXModel(tracing: feed, run), feed, run(feed))
  }

  @Test(arguments: LSTMTests.golden, Result.allCases)
  func dfkitRunsWhatItWrites(_ golden: LSTMGolden, _ result: Result) throws {
    let (model, feed, expected) = try model(golden, result)
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("lstm.onnx")
      try model.write(to: file)
      let state = try StateDict.read(file)
      // The weights are in the file under their own keys, as published files have them.
      for parameter in golden.network().store.parameters {
        #expect(state[parameter.key]?.shape == parameter.layout.fileShape(parameter.shape))
      }
      let named = Dictionary(
        uniqueKeysWithValues: feed.enumerated().map { ("input\($0)", $1) })
      let found = try #require(try ONNXNetwork(state)(named)["output"])
      #expect(found.shape == expected.shape)
      expectClose(found, expected, tolerance: 1e-5)
    }
  }

  @Test(.enabled(if: ONNXRuntime.isInstalled))
  func theRuntimeComputesTheSame() throws {
    try Paths.withTemporaryFolder { folder in
      var all: [Tensor] = []
      for golden in LSTMTests.golden {
        for result in Result.allCases {
          let (model, feed, expected) = try model(golden, result)
          let name = folder.appendingPathComponent("\(all.count)").path
          try model.write(to: URL(fileURLWithPath: name + ".onnx"))
          for (place, input) in feed.enumerated() {
            try input.withUnsafeBuffer { Data(buffer: $0) }
              .write(to: URL(fileURLWithPath: name + ".in\(place)"))
          }
          all.append(expected)
        }
      }
      try ONNXRuntime.run(folder)
      for (index, expected) in all.enumerated() {
        let bytes = try Data(contentsOf: folder.appendingPathComponent("\(index).out"))
        try #require(bytes.count == 4 * expected.count)
        let output = Tensor(shape: expected.shape) { _ = bytes.copyBytes(to: $0) }
        expectClose(output, expected, tolerance: 1e-5, "\(index)")
      }
    }
  }

  @Test func aLevelIsOneNodeForBothDirections() throws {
    let golden = try #require(LSTMTests.golden.first { $0.name == "deep_both" })
    let model = try model(golden, .steps).model
    let nodes = model.nodes.filter { $0.operation == "LSTM" }
    #expect(nodes.count == 3)
    #expect(nodes.allSatisfy { $0.attributes["direction"] == .text("bidirectional") })
    // The states that nothing reads are not computed, and outputs are not cut out of anything.
    #expect(!model.nodes.contains { $0.operation == "Slice" })
    let reads = Set(model.nodes.flatMap(\.inputs))
    for node in nodes { #expect(node.outputs[1...].allSatisfy { !reads.contains($0) }) }
  }

  /// Nothing of the batch is in the nodes, unless lengths are.
  @Test(arguments: LSTMTests.golden.filter { $0.batch > 1 && $0.lengths == nil })
  func theBatchIsOpen(_ golden: LSTMGolden) throws {
    for result in [Result.steps, .hidden, .cell] {
      let nodes = try [1, 2].map { try model(golden, result, batch: $0).model.nodes }
      #expect(nodes[0] == nodes[1], "\(result)")
    }
  }

  @Test func pyTorchsExportRuns() throws {
    let golden = try #require(LSTMGolden.all.first { $0.name == "state" })
    let network = try ONNXNetwork(StateDict.read(Paths.fixture("lstm/exported.onnx")))
    let found = try network(["x": golden.x])
    golden.check(
      LSTM.Output(
        steps: try #require(found["steps"]),
        final: LSTM.State(
          hidden: try #require(found["hidden"]), cell: try #require(found["cell"]))))
  }
}
