import DeepfakeCore
import Testing

/// How the harness makes one input of an operation: away from places where the derivative jumps, by
/// more than a finite difference reaches.
enum TestInput: Sendable {
  /// Uniform in [-2, 2).
  case any([Int])
  /// Uniform in [0.5, 2.5).
  case positive([Int])
  /// Uniform in [0.1, 0.9).
  case probability([Int])
  /// Uniform in [-2, 2), at least 0.2 from the points.
  case apart([Int], from: [Float])
  /// Multiples of 0.3 in random order, shifted: no two are closer, here or in another input whose
  /// shift differs by 0.15.
  case distinct([Int], shift: Float = 0)

  var shape: [Int] {
    switch self {
    case .any(let shape), .positive(let shape), .probability(let shape), .apart(let shape, _),
      .distinct(let shape, _):
      shape
    }
  }

  func tensor(using generator: inout SeededGenerator) -> Tensor {
    switch self {
    case .any: return .uniform(shape: shape, in: -2..<2, using: &generator)
    case .positive: return .uniform(shape: shape, in: 0.5..<2.5, using: &generator)
    case .probability: return .uniform(shape: shape, in: 0.1..<0.9, using: &generator)
    case .apart(_, let points):
      let values = (0..<shape.reduce(1, *)).map { _ in
        var value = 4 * generator.uniform() - 2
        while points.contains(where: { abs($0 - value) < 0.2 }) {
          value = 4 * generator.uniform() - 2
        }
        return value
      }
      return Tensor(values, shape: shape)
    case .distinct(_, let shift):
      let count = shape.reduce(1, *)
      let order = (0..<count).shuffled(using: &generator)
      return Tensor(order.map { 0.3 * Float($0 - count / 2) + shift }, shape: shape)
    }
  }
}

/// A line of the catalogue: an operation and inputs to try it with.
struct CatalogueEntry: Sendable, CustomTestStringConvertible {
  let name: String
  let operation: any Operation
  let inputs: [TestInput]
  /// What other inputs are functions of each other, to be computed again where one changes.
  let completing: @Sendable ([Tensor]) -> [Tensor]
  /// Inputs that have no gradient.
  let constants: Set<Int>
  /// The largest difference between a derivative and its finite difference, relative to the
  /// gradient's largest element.
  let tolerance: Double

  init(
    _ name: String, _ operation: any Operation, _ inputs: [TestInput], constants: Set<Int> = [],
    tolerance: Double = 1e-3,
    completing: @escaping @Sendable ([Tensor]) -> [Tensor] = { $0 }
  ) {
    self.name = name
    self.operation = operation
    self.inputs = inputs
    self.constants = constants
    self.completing = completing
    self.tolerance = tolerance
  }

  var testDescription: String { name }

  /// The operation's type, as sources spell it.
  var typeName: String { String(describing: type(of: operation)) }

  /// The inputs whose gradients can be asked for.
  var differentiable: [Int] { inputs.indices.filter { !constants.contains($0) } }

  func makeInputs(seed: UInt64) -> [Tensor] {
    var generator = SeededGenerator(seed: seed, label: name)
    return completing(inputs.map { $0.tensor(using: &generator) })
  }
}
