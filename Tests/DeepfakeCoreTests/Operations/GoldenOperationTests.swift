import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// One line of operations.json.
private struct GoldenCase: Decodable {
  let op: String
  let inputs: [[Int]]
  let settings: [String: [Float]]
  let shape: [Int]
  let values: [Float]

  static func read() throws -> [GoldenCase] {
    let data = try Data(contentsOf: Paths.fixture("operations.json"))
    return try JSONDecoder().decode([GoldenCase].self, from: data)
  }

  func tensors(_ index: Int) -> [Tensor] {
    inputs.enumerated().map { position, shape in
      let u = Formula.uniform("\(index).\(position)", count: shape.reduce(1, *))
      return Tensor(u.map { Float(($0 - 0.5) * 4) }, shape: shape)
    }
  }

  func float(_ key: String) -> Float { settings[key]?.first ?? .nan }
  func ints(_ key: String) -> [Int]? { settings[key]?.map { Int($0) } }
  func int(_ key: String) -> Int { ints(key)?.first ?? 0 }
  func flag(_ key: String) -> Bool { int(key) == 1 }

  func size(_ key: String, default other: Size2d = 1) -> Size2d {
    ints(key).map { Size2d(height: $0[0], width: $0[$0.count - 1]) } ?? other
  }

  var method: Resampling { [.nearest, .bilinear, .area][int("method")] }
}

/// The case's operation of `t`; nil for one that is not known here. A switch, because the type checker
/// takes half a minute over a table of closures.
private func evaluate(_ c: GoldenCase, _ t: [Tensor]) -> Tensor? {
  switch c.op {
  case "add":
    return t[0] + t[1]
  case "subtract":
    return t[0] - t[1]
  case "multiply":
    return t[0] * t[1]
  case "divide":
    return t[0] / t[1]
  case "maximum":
    return .maximum(t[0], t[1])
  case "minimum":
    return .minimum(t[0], t[1])
  case "exp":
    return t[0].exp()
  case "log":
    return t[0].abs().log()
  case "squareRoot":
    return t[0].abs().squareRoot()
  case "abs":
    return t[0].abs()
  case "negate":
    return -t[0]
  case "pow":
    return (c.float("exponent") == 2 ? t[0] : t[0].abs()).pow(c.float("exponent"))
  case "clamp":
    return t[0].clamped(to: (c.settings["range"] ?? [])[0]...(c.settings["range"] ?? [])[1])
  case "relu":
    return t[0].relu()
  case "leakyReLU":
    return t[0].leakyReLU(slope: c.float("slope"))
  case "prelu":
    return t[0].prelu(t[1])
  case "silu":
    return t[0].silu()
  case "sigmoid":
    return t[0].sigmoid()
  case "tanh":
    return t[0].tanh()
  case "sum":
    return t[0].sum(axes: c.ints("axes"), keepsDimensions: c.flag("keep"))
  case "mean":
    return t[0].mean(axes: c.ints("axes"), keepsDimensions: c.flag("keep"))
  case "max":
    return t[0].max(axes: c.ints("axes"), keepsDimensions: c.flag("keep"))
  case "min":
    return t[0].min(axes: c.ints("axes"), keepsDimensions: c.flag("keep"))
  case "argmax":
    let indices = t[0].argmax()
    return Tensor(indices.map { Float($0) }, shape: [indices.count])
  case "softmax":
    return t[0].softmax(axis: c.int("axis"))
  case "logSoftmax":
    return (30 * t[0]).logSoftmax(axis: c.int("axis"))
  case "matmul":
    return t[0].matmul(t[1], transposingLeft: c.flag("left"), transposingRight: c.flag("right"))
  case "conv2d":
    let p = c.ints("padding") ?? [0, 0, 0, 0]
    return t[0].conv2d(
      t[1], bias: t.count > 2 ? t[2] : nil, stride: c.size("stride"),
      padding: c.flag("same")
        ? .sameFromInput : .explicit(top: p[0], left: p[1], bottom: p[2], right: p[3]),
      dilation: c.size("dilation"), groups: c.ints("groups")?[0] ?? 1)
  case "maxPool":
    return t[0].maxPool(
      c.size("kernel"), stride: c.size("stride"), padding: c.size("padding"),
      ceilMode: c.flag("ceil"))
  case "averagePool":
    return t[0].averagePool(
      c.size("kernel"), stride: c.size("stride"), padding: c.size("padding"),
      ceilMode: c.flag("ceil"), countsPadding: c.flag("include"))
  case "globalAveragePool":
    return t[0].globalAveragePool().reshaped([2, 1, 1, 3])
  case "adaptiveAveragePool":
    return t[0].adaptiveAveragePool(to: c.size("size"))
  case "batchNorm":
    return t[0].batchNorm(
      mean: t[1], variance: t[2].abs(), weight: t[3], bias: t[4], epsilon: c.float("epsilon"))
  case "groupNorm":
    return t[0].groupNorm(
      groups: c.int("groups"), weight: t[1], bias: t[2], epsilon: c.float("epsilon"))
  case "resize":
    return t[0].resized(to: c.size("size"), method: c.method)
  case "reshape":
    return t[0].reshaped(c.ints("shape") ?? [])
  case "transpose":
    return t[0].transposed(c.ints("permutation") ?? [])
  case "flip":
    return t[0].flipped(axes: c.ints("axes") ?? [])
  case "slice":
    let (low, high) = (c.ints("low") ?? [], c.ints("high") ?? [])
    return t[0].slice(low.indices.map { low[$0]..<high[$0] }, steps: c.ints("step"))
  case "concatenate":
    return .concatenated(t, axis: c.int("axis"))
  case "pad":
    return t[0].padded(
      before: c.ints("before") ?? [], after: c.ints("after") ?? [], value: c.float("value"))
  default: return nil
  }
}

@Suite struct GoldenOperationTests {
  static let operations: [String] = {
    let operations = Set(((try? GoldenCase.read()) ?? []).map(\.op))
    return operations.subtracting(["resizeBytes"]).sorted()
  }()

  @Test func theFixtureIsThere() {
    #expect(Self.operations.count == 41)
  }

  @Test(arguments: operations)
  func agreesWithPyTorch(_ operation: String) throws {
    for (index, golden) in try GoldenCase.read().enumerated() where golden.op == operation {
      expectClose(
        try #require(evaluate(golden, golden.tensors(index))),
        Tensor(golden.values, shape: golden.shape),
        tolerance: 2e-5, "case \(index), \(operation) of \(golden.inputs), \(golden.settings)")
    }
  }

  @Test func resizingBytesAgreesWithOpenCV() throws {
    for (index, golden) in try GoldenCase.read().enumerated() where golden.op == "resizeBytes" {
      let shape = golden.inputs[0]
      let bytes = Formula.uniform("\(index).0", count: shape.reduce(1, *)).map { UInt8($0 * 256) }
      let image = Image(width: shape[1], height: shape[0], pixels: bytes)
      let resized = image.resized(
        width: golden.shape[1], height: golden.shape[0], method: golden.method)
      for (i, (found, expected)) in zip(resized.pixels, golden.values).enumerated() {
        #expect(
          abs(Float(found) - expected) <= 1,
          "case \(index), byte \(i) of \(shape) to \(golden.shape) is \(found), not \(expected)")
      }
      #expect(resized.pixels.count == golden.values.count)
    }
  }
}
