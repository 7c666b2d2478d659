import OrderedCollections
import Synchronization

/// The parameters of one network, in the order in which its layers were created.
///
/// ```swift
/// let store = ParameterStore()
/// let layer = Linear(store.root / "classifier", 1280, 1)
/// store.initialize(seed: 1)  // or load weights: try store.load(StateDict.read(file))
/// print(layer.weight.shape, store.parameters.map(\.key))
/// ```
public final class ParameterStore: Sendable {
  private let storage = Mutex<OrderedDictionary<String, Parameter>>([:])

  /// Creates an empty store.
  public init() {}

  /// Creates a store of the parameters of other stores, which share them. Their keys must differ.
  package init(sharing stores: [ParameterStore]) {
    for store in stores {
      for parameter in store.parameters { add(parameter) }
    }
  }

  /// All parameters, in the order of their declaration.
  public var parameters: [Parameter] { storage.withLock { Array($0.values) } }

  /// The parameter with this key, or nil.
  public subscript(key: String) -> Parameter? { storage.withLock { $0[key] } }

  /// The scope of the whole network.
  public var root: Scope { Scope(store: self, prefix: "") }

  /// The number of elements in all parameters except running statistics.
  public var learnableCount: Int {
    parameters.reduce(0) { $1.role == .statistic ? $0 : $0 + $1.shape.reduce(1, *) }
  }

  fileprivate func add(_ parameter: Parameter) {
    storage.withLock { all in
      precondition(all[parameter.key] == nil, "ParameterStore: \(parameter.key) is declared twice")
      all[parameter.key] = parameter
    }
  }

  /// Gives every parameter its initial value. Each parameter's generator starts from the seed and
  /// its key, so a seed gives a parameter the same value whatever other parameters the store holds.
  public func initialize(seed: UInt64) {
    for parameter in parameters { parameter.initialize(seed: seed) }
  }

  /// Frees every value (see `Parameter.release`).
  public func release() {
    for parameter in parameters { parameter.release() }
  }
}

/// A position in a network's tree of keys, in which layers declare their parameters.
///
/// ```swift
/// struct Head: Module {
///   let last: Linear
///
///   init(_ scope: Scope) { last = Linear(scope / "last", 32, 1) }
///   func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor { last(x.relu(), mode) }
/// }
/// let head = Head(store.root / "heads" / 0)  // its parameters begin with "heads.0.last."
/// ```
public struct Scope: Sendable {
  /// The store of the declared parameters.
  public let store: ParameterStore
  /// The key up to this position, without a trailing dot; empty at the root.
  public let prefix: String

  /// The scope `name` inside `scope`.
  public static func / (scope: Scope, name: String) -> Scope {
    Scope(store: scope.store, prefix: scope.prefix.isEmpty ? name : scope.prefix + "." + name)
  }

  /// The scope of a child with a number.
  public static func / (scope: Scope, index: Int) -> Scope {
    scope / String(index)
  }

  /// Declares a parameter in this scope. `shape` is the shape in memory. Declaring a key twice is a
  /// programmer error.
  public func parameter(
    _ name: String, shape: [Int], layout: ParameterLayout = .unchanged,
    role: ParameterRole, initializer: Initializer
  ) -> Parameter {
    let parameter = Parameter(
      key: (self / name).prefix, shape: shape, layout: layout, role: role,
      initializer: initializer)
    store.add(parameter)
    return parameter
  }
}

extension Initializer {
  func makeTensor(shape: [Int], using generator: inout SeededGenerator) -> Tensor {
    switch self {
    case .constant(let value): Tensor(repeating: value, shape: shape)
    case .heNormal(let fanOut):
      Tensor.normal(shape: shape, deviation: (2 / Float(fanOut)).squareRoot(), using: &generator)
    case .uniform(let bound):
      Tensor.uniform(shape: shape, in: -bound..<bound, using: &generator)
    }
  }
}

extension Parameter {
  /// Gives the parameter its initial value, as `ParameterStore.initialize` does for all parameters.
  public func initialize(seed: UInt64) {
    var generator = SeededGenerator(seed: seed, label: key)
    value = initializer.makeTensor(shape: shape, using: &generator)
  }
}
