import DeepfakeCore
import Foundation
import TestSupport

/// One line of operations.json or gradients.json.
struct GoldenCase: Decodable {
  let op: String
  let name: String?
  let inputs: [[Int]]
  let settings: [String: [Float]]
  let shape: [Int]?
  let values: [Float]?
  let gradients: [[Float]?]?

  static func read(_ fixture: String) throws -> [GoldenCase] {
    let data = try Data(contentsOf: Paths.fixture(fixture))
    return try JSONDecoder().decode([GoldenCase].self, from: data)
  }

  /// The inputs of the case with that name.
  func tensors(_ name: String) -> [Tensor] {
    inputs.enumerated().map { position, shape in
      let x = Self.tensor("\(name).\(position)", shape)
      return flag("rounded")
        ? Tensor(x.scalars.map { $0.rounded(.toNearestOrEven) }, shape: shape) : x
    }
  }

  /// Uniform values in [-2, 2) that a name stands for.
  static func tensor(_ name: String, _ shape: [Int]) -> Tensor {
    let u = Formula.uniform(name, count: shape.reduce(1, *))
    return Tensor(u.map { Float(($0 - 0.5) * 4) }, shape: shape)
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

extension GoldenCase {
  /// The case's operation of `t`; nil for one that is not known here. A switch, because the type
  /// checker takes half a minute over a table of closures.
  func evaluate(_ t: [Tensor]) -> Tensor? {
    switch op {
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
      return (float("exponent") == 2 ? t[0] : t[0].abs()).pow(float("exponent"))
    case "clamp":
      return t[0].clamped(to: (settings["range"] ?? [])[0]...(settings["range"] ?? [])[1])
    case "relu":
      return t[0].relu()
    case "leakyReLU":
      return t[0].leakyReLU(slope: float("slope"))
    case "prelu":
      return t[0].prelu(t[1])
    case "silu":
      return t[0].silu()
    case "sigmoid":
      return t[0].sigmoid()
    case "tanh":
      return t[0].tanh()
    case "sum":
      return t[0].sum(axes: ints("axes"), keepsDimensions: flag("keep"))
    case "mean":
      return t[0].mean(axes: ints("axes"), keepsDimensions: flag("keep"))
    case "max":
      return t[0].max(axes: ints("axes"), keepsDimensions: flag("keep"))
    case "min":
      return t[0].min(axes: ints("axes"), keepsDimensions: flag("keep"))
    case "argmax":
      let indices = t[0].argmax()
      return Tensor(indices.map { Float($0) }, shape: [indices.count])
    case "softmax":
      return t[0].softmax(axis: int("axis"))
    case "logSoftmax":
      return (30 * t[0]).logSoftmax(axis: int("axis"))
    case "matmul":
      return t[0].matmul(t[1], transposingLeft: flag("left"), transposingRight: flag("right"))
    case "conv2d":
      let p = ints("padding") ?? [0, 0, 0, 0]
      return t[0].conv2d(
        t[1], bias: t.count > 2 ? t[2] : nil, stride: size("stride"),
        padding: flag("same")
          ? .sameFromInput : .explicit(top: p[0], left: p[1], bottom: p[2], right: p[3]),
        dilation: size("dilation"), groups: ints("groups")?[0] ?? 1)
    case "maxPool":
      return t[0].maxPool(
        size("kernel"), stride: size("stride"), padding: size("padding"),
        ceilMode: flag("ceil"))
    case "averagePool":
      return t[0].averagePool(
        size("kernel"), stride: size("stride"), padding: size("padding"),
        ceilMode: flag("ceil"), countsPadding: flag("include"))
    case "globalAveragePool":
      return t[0].globalAveragePool().reshaped([2, 1, 1, 3])
    case "adaptiveAveragePool":
      return t[0].adaptiveAveragePool(to: size("size"))
    case "batchNorm":
      return t[0].batchNorm(
        mean: t[1], variance: t[2].abs(), weight: t[3], bias: t[4], epsilon: float("epsilon"))
    case "groupNorm":
      return t[0].groupNorm(
        groups: int("groups"), weight: t[1], bias: t[2], epsilon: float("epsilon"))
    case "resize":
      return t[0].resized(to: size("size"), method: method)
    case "reshape":
      return t[0].reshaped(ints("shape") ?? [])
    case "transpose":
      return t[0].transposed(ints("permutation") ?? [])
    case "flip":
      return t[0].flipped(axes: ints("axes") ?? [])
    case "slice":
      let (low, high) = (ints("low") ?? [], ints("high") ?? [])
      return t[0].slice(low.indices.map { low[$0]..<high[$0] }, steps: ints("step"))
    case "concatenate":
      return .concatenated(t, axis: int("axis"))
    case "pad":
      return t[0].padded(
        before: ints("before") ?? [], after: ints("after") ?? [], value: float("value"))
    default:
      return evaluateFurther(t)
    }
  }
}
