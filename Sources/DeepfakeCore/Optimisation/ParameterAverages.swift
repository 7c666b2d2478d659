/// Means of parameters over steps, beside the parameters that training goes on with.
package protocol WeightAverage: Sendable {
  /// The means and how many values are in them.
  var averages: ParameterAverages { get set }

  /// Takes in the parameters' present values. Always the same parameters; running statistics may be
  /// among them.
  mutating func update(_ parameters: [Parameter])
}

extension WeightAverage {
  /// Calls `body` with the parameters at their means, for validation or for saving, and brings the
  /// present values back. Parameters without a mean keep their value.
  package func withAverages<Result>(
    in parameters: [Parameter], _ body: () throws -> Result
  ) rethrows -> Result {
    let changed = parameters.filter { averages[$0] != nil }
    let values = changed.map(\.value)
    defer { for (parameter, value) in zip(changed, values) { parameter.value = value } }
    apply(to: changed)
    return try body()
  }

  /// Sets the parameters to their means for good; those without one keep their value.
  package func apply(to parameters: [Parameter]) {
    for parameter in parameters {
      if let mean = averages[parameter] { parameter.value = mean }
    }
  }
}

/// The means that a `WeightAverage` keeps, by parameter keys.
package struct ParameterAverages: Sendable {
  /// Values taken in so far.
  package private(set) var updates = 0
  private var means: [String: Tensor] = [:]

  private static let prefix = "average."
  private static let counter = "average-updates"

  /// No means.
  package init() {}

  /// The mean of a parameter; nil before the first update.
  package subscript(parameter: Parameter) -> Tensor? { means[parameter.key] }

  /// Moves each mean towards the parameter's value by a part of the way: 1 is all of it.
  mutating func move(towards parameters: [Parameter], by part: Float) {
    let weight = Lanes(repeating: part)
    for parameter in parameters {
      guard part < 1, var mean = means.removeValue(forKey: parameter.key) else {
        means[parameter.key] = parameter.value.detached
        continue
      }
      precondition(
        mean.shape == parameter.shape,
        "average of \(parameter.key): shape \(mean.shape) is not \(parameter.shape)")
      mean.combineInPlace(parameter.value) { mean, value in mean + (value - mean) * weight }
      means[parameter.key] = mean
    }
    updates += 1
  }

  /// The means as named tensors: `average.KEY`, and their number of values.
  package var state: [String: Tensor] {
    var state = [Self.counter: Tensor(exactly: updates)]
    for (key, mean) in means { state[Self.prefix + key] = mean }
    return state
  }

  /// Takes on the state that a file holds.
  ///
  /// - Throws: `OptimizerStateError` when it does not fit `parameters`; nothing has changed then.
  package mutating func restore(
    _ state: [String: Tensor], for parameters: [Parameter], file: String
  ) throws(OptimizerStateError) {
    guard let count = state[Self.counter] else {
      throw .missing(file: file, name: Self.counter)
    }
    guard let updates = count.exactCount else {
      throw .invalid(file: file, name: Self.counter, reason: "is no number of values")
    }
    var left = Set(state.keys).subtracting([Self.counter])
    var means: [String: Tensor] = [:]
    for parameter in parameters where updates > 0 {
      let name = Self.prefix + parameter.key
      guard let mean = state[name] else { throw .missing(file: file, name: name) }
      guard mean.shape == parameter.shape else {
        throw .invalid(
          file: file, name: name, reason: "has shape \(mean.shape), not \(parameter.shape)")
      }
      means[parameter.key] = mean
      left.remove(name)
    }
    if let name = left.min() { throw .unexpected(file: file, name: name) }
    self.updates = updates
    self.means = means
  }
}

extension Tensor {
  /// Every element becomes a function of itself and of the other's, on the thread pool.
  @inline(__always)
  mutating func combineInPlace(
    _ other: Tensor, _ combine: @Sendable (Lanes, Lanes) -> Lanes
  ) {
    let count = count
    withUnsafeMutableBuffer { to in
      other.withUnsafeBuffer { from in
        guard let to = to.baseAddress, let from = from.baseAddress else { return }
        nonisolated(unsafe) let (own, other) = (to, from)
        Parallel.forEachBlock(count) { range in
          let block = own + range.lowerBound
          combineLanes(
            LaneSource(block), LaneSource(other + range.lowerBound), block, range.count, combine)
        }
      }
    }
  }
}
