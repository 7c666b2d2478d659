import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// Strict loading into a network's parameters, and the way back.
@Suite("Weights: parameter stores")
struct ParameterStoreWeightsTests {
  /// A convolution, a fully connected layer and a bias, as layers declare them.
  private func makeStore() -> ParameterStore {
    let store = ParameterStore()
    let net = store.root / "net"
    _ = (net / "conv").parameter(
      "weight", shape: [3, 2, 4, 5], layout: .convolution, role: .weight,
      initializer: .uniform(bound: 1))
    _ = (net / "fc").parameter(
      "weight", shape: [40, 70], layout: .linear, role: .weight, initializer: .uniform(bound: 1))
    _ = (net / "fc").parameter(
      "bias", shape: [70], role: .affine, initializer: .uniform(bound: 1))
    return store
  }

  @Test func roundTripThroughAFile() throws {
    let store = makeStore()
    store.initialize(seed: 1)
    let state = store.stateDict(metadata: ["epoch": "4"])
    #expect(state.keys == ["net.conv.weight", "net.fc.weight", "net.fc.bias"])
    #expect(state["net.conv.weight"]?.shape == [5, 4, 3, 2])
    #expect(state["net.fc.weight"]?.shape == [70, 40])
    let file = try #require(try state["net.conv.weight"]?.tensor())
    let memory = try #require(store["net.conv.weight"]?.value)
    #expect(file[4, 3, 2, 1] == memory[2, 1, 3, 4])
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("store.safetensors")
      try state.write(safetensors: url)
      let other = makeStore()
      let report = try other.load(StateDict.read(url))
      #expect(report.isEmpty)
      for parameter in store.parameters {
        #expect(other[parameter.key]?.value.shape == parameter.shape)
        #expect(other[parameter.key]?.value.scalars == parameter.value.scalars, "\(parameter.key)")
      }
    }
  }

  @Test func everyDifferenceIsListedAndNothingChanges() throws {
    let store = makeStore()
    store.initialize(seed: 1)
    let before = store.parameters.map(\.value.scalars)
    let state = StateDict(
      tensors: [
        .init("net.conv.weight", Tensor(zeros: [5, 4, 3, 3])),
        .init("net.fc.bias", Tensor(zeros: [70])), .init("net.extra", Tensor(zeros: [1])),
        .init("other", Tensor(zeros: [1])),
      ], file: "some.pth")
    let error = #expect(throws: WeightsError.self) { try store.load(state) }
    guard case .mismatch(let mismatch)? = error else {
      Issue.record("\(String(describing: error)) is no mismatch")
      return
    }
    #expect(mismatch.file == "some.pth")
    #expect(mismatch.missing == ["net.fc.weight"])
    #expect(mismatch.unused == ["net.extra", "other"])
    #expect(mismatch.misshapen.map(\.key) == ["net.conv.weight"])
    #expect(mismatch.misshapen.first?.expected == [5, 4, 3, 2])
    #expect(mismatch.misshapen.first?.found == [5, 4, 3, 3])
    #expect(store.parameters.map(\.value.scalars) == before)
    #expect(throws: WeightsError.self) { try store.load(state, strict: false) }
    #expect(store.parameters.map(\.value.scalars) == before)
  }

  @Test func lenientLoadingReportsWhatItLeft() throws {
    let store = makeStore()
    store.initialize(seed: 1)
    let conv = try #require(store["net.conv.weight"]?.value.scalars)
    let state = StateDict(tensors: [
      .init("net.fc.bias", Tensor(repeating: 3, shape: [70])), .init("extra", Tensor(scalar: 1)),
    ])
    let report = try store.load(state, strict: false)
    #expect(report.missing == ["net.conv.weight", "net.fc.weight"])
    #expect(report.unused == ["extra"])
    #expect(store["net.fc.bias"]?.value.scalars.allSatisfy { $0 == 3 } == true)
    #expect(store["net.conv.weight"]?.value.scalars == conv)
  }

  @Test func transposesOfEverySizeAgree() throws {
    // Tile edges, several tiles, and sizes that run on the pool.
    for (rows, columns) in [(1, 1), (1, 50), (31, 33), (64, 64), (65, 100), (700, 130)] {
      let values = (0..<rows * columns).map { Float($0) }
      let state = StateDict(tensors: [.init("w", Tensor(values, shape: [rows, columns]))])
      let turned = try #require(try state["w"]?.tensor(layout: .linear))
      #expect(turned.shape == [columns, rows])
      let expected = (0..<rows * columns).map { Float($0 % rows * columns + $0 / rows) }
      #expect(turned.scalars == expected, "\(rows)x\(columns)")
    }
    // HWIO from OIHW where several axes move at once, large enough for the pool.
    let (o, i, h, w) = (70, 66, 3, 5)
    let values = (0..<o * i * h * w).map { Float($0) }
    let state = StateDict(tensors: [.init("w", Tensor(values, shape: [o, i, h, w]))])
    let turned = try #require(try state["w"]?.tensor(layout: .convolution).scalars)
    var expected: [Float] = []
    for y in 0..<h {
      for x in 0..<w {
        for c in 0..<i { for k in 0..<o { expected.append(Float(((k * i + c) * h + y) * w + x)) } }
      }
    }
    #expect(turned == expected)
  }
}
