import DeepfakeCore
import Foundation
import TestSupport
import Testing

@Suite struct GoldenOperationTests {
  static let operations: [String] = {
    let operations = Set(((try? GoldenCase.read("operations.json")) ?? []).map(\.op))
    return operations.subtracting(["resizeBytes"]).sorted()
  }()

  @Test func theFixtureIsThere() {
    #expect(Self.operations.count == 41)
  }

  @Test(arguments: operations)
  func agreesWithPyTorch(_ operation: String) throws {
    let cases = try GoldenCase.read("operations.json")
    for (index, golden) in cases.enumerated() where golden.op == operation {
      expectClose(
        try #require(golden.evaluate(golden.tensors("\(index)"))),
        Tensor(try #require(golden.values), shape: try #require(golden.shape)),
        tolerance: 2e-5, "case \(index), \(operation) of \(golden.inputs), \(golden.settings)")
    }
  }

  @Test func resizingBytesAgreesWithOpenCV() throws {
    let cases = try GoldenCase.read("operations.json")
    for (index, golden) in cases.enumerated() where golden.op == "resizeBytes" {
      let (shape, target) = (golden.inputs[0], try #require(golden.shape))
      let bytes = Formula.uniform("\(index).0", count: shape.reduce(1, *)).map { UInt8($0 * 256) }
      let image = Image(width: shape[1], height: shape[0], pixels: bytes)
      let resized = image.resized(
        width: target[1], height: target[0], method: golden.method)
      let values = try #require(golden.values)
      for (i, (found, expected)) in zip(resized.pixels, values).enumerated() {
        #expect(
          abs(Float(found) - expected) <= 1,
          "case \(index), byte \(i) of \(shape) to \(target) is \(found), not \(expected)")
      }
      #expect(resized.pixels.count == values.count)
    }
  }
}
