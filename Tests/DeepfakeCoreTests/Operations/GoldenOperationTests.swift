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

private typealias Evaluate = @Sendable (GoldenCase, [Tensor]) -> Tensor

private let evaluations: [String: Evaluate] = [
  "add": { $1[0] + $1[1] },
  "subtract": { $1[0] - $1[1] },
  "multiply": { $1[0] * $1[1] },
  "divide": { $1[0] / $1[1] },
  "maximum": { .maximum($1[0], $1[1]) },
  "minimum": { .minimum($1[0], $1[1]) },
  "exp": { $1[0].exp() },
  "log": { $1[0].abs().log() },
  "squareRoot": { $1[0].abs().squareRoot() },
  "abs": { $1[0].abs() },
  "negate": { -$1[0] },
  "pow": { c, t in (c.float("exponent") == 2 ? t[0] : t[0].abs()).pow(c.float("exponent")) },
  "clamp": { c, t in
    t[0].clamped(to: (c.settings["range"] ?? [])[0]...(c.settings["range"] ?? [])[1])
  },
  "relu": { $1[0].relu() },
  "leakyReLU": { c, t in t[0].leakyReLU(slope: c.float("slope")) },
  "prelu": { $1[0].prelu($1[1]) },
  "silu": { $1[0].silu() },
  "sigmoid": { $1[0].sigmoid() },
  "tanh": { $1[0].tanh() },
  "sum": { c, t in t[0].sum(axes: c.ints("axes"), keepsDimensions: c.flag("keep")) },
  "mean": { c, t in t[0].mean(axes: c.ints("axes"), keepsDimensions: c.flag("keep")) },
  "max": { c, t in t[0].max(axes: c.ints("axes"), keepsDimensions: c.flag("keep")) },
  "min": { c, t in t[0].min(axes: c.ints("axes"), keepsDimensions: c.flag("keep")) },
  "argmax": { _, t in
    let indices = t[0].argmax()
    return Tensor(indices.map { Float($0) }, shape: [indices.count])
  },
  "softmax": { c, t in t[0].softmax(axis: c.int("axis")) },
  "logSoftmax": { c, t in (30 * t[0]).logSoftmax(axis: c.int("axis")) },
  "matmul": { c, t in
    t[0].matmul(t[1], transposingLeft: c.flag("left"), transposingRight: c.flag("right"))
  },
  "conv2d": { c, t in
    let p = c.ints("padding") ?? [0, 0, 0, 0]
    return t[0].conv2d(
      t[1], bias: t.count > 2 ? t[2] : nil, stride: c.size("stride"),
      padding: c.flag("same")
        ? .sameFromInput : .explicit(top: p[0], left: p[1], bottom: p[2], right: p[3]),
      dilation: c.size("dilation"), groups: c.ints("groups")?[0] ?? 1)
  },
  "maxPool": { c, t in
    t[0].maxPool(
      c.size("kernel"), stride: c.size("stride"), padding: c.size("padding"),
      ceilMode: c.flag("ceil"))
  },
  "averagePool": { c, t in
    t[0].averagePool(
      c.size("kernel"), stride: c.size("stride"), padding: c.size("padding"),
      ceilMode: c.flag("ceil"), countsPadding: c.flag("include"))
  },
  "globalAveragePool": { _, t in t[0].globalAveragePool().reshaped([2, 1, 1, 3]) },
  "adaptiveAveragePool": { c, t in t[0].adaptiveAveragePool(to: c.size("size")) },
  "batchNorm": { c, t in
    t[0].batchNorm(
      mean: t[1], variance: t[2].abs(), weight: t[3], bias: t[4], epsilon: c.float("epsilon"))
  },
  "groupNorm": { c, t in
    t[0].groupNorm(
      groups: c.int("groups"), weight: t[1], bias: t[2], epsilon: c.float("epsilon"))
  },
  "resize": { c, t in t[0].resized(to: c.size("size"), method: c.method) },
  "reshape": { c, t in t[0].reshaped(c.ints("shape") ?? []) },
  "transpose": { c, t in t[0].transposed(c.ints("permutation") ?? []) },
  "flip": { c, t in t[0].flipped(axes: c.ints("axes") ?? []) },
  "slice": { c, t in
    let (low, high) = (c.ints("low") ?? [], c.ints("high") ?? [])
    return t[0].slice(low.indices.map { low[$0]..<high[$0] }, steps: c.ints("step"))
  },
  "concatenate": { c, t in .concatenated(t, axis: c.int("axis")) },
  "pad": { c, t in
    t[0].padded(
      before: c.ints("before") ?? [], after: c.ints("after") ?? [], value: c.float("value"))
  },
]

@Suite struct GoldenOperationTests {
  @Test func everyOperationIsCovered() throws {
    let cases = Set(try GoldenCase.read().map(\.op))
    #expect(cases == Set(evaluations.keys).union(["resizeBytes"]))
  }

  @Test(arguments: evaluations.keys.sorted())
  func agreesWithPyTorch(_ operation: String) throws {
    let evaluate = try #require(evaluations[operation])
    for (index, golden) in try GoldenCase.read().enumerated() where golden.op == operation {
      expectClose(
        evaluate(golden, golden.tensors(index)), Tensor(golden.values, shape: golden.shape),
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
