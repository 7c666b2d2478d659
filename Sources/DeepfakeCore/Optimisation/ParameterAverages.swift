/// Means of parameters over training steps, kept separately from the parameters.
package protocol WeightAverage: Sendable {
  /// The means and the number of values in them.
  var averages: ParameterAverages { get set }

  /// Adds the current values of the parameters to the means. The parameters must be the same in
  /// every call; running statistics may be among them.
  mutating func update(_ parameters: [Parameter])
}

extension WeightAverage {
  /// Calls `body` while the parameters have their mean values, for validation or saving, and
  /// restores the current values afterwards. Parameters without a mean keep their values.
  package func withAverages<Result>(
    in parameters: [Parameter], _ body: () throws -> Result
  ) rethrows -> Result {
    let changed = parameters.filter { averages[$0] != nil }
    let values = changed.map(\.value)
    defer { for (parameter, value) in zip(changed, values) { parameter.value = value } }
    apply(to: changed)
    return try body()
  }

  /// Sets the parameters to their means permanently. Parameters without a mean keep their values.
  package func apply(to parameters: [Parameter]) {
    for parameter in parameters {
      if let mean = averages[parameter] { parameter.value = mean }
    }
  }
}

/// The means that a `WeightAverage` keeps, by parameter keys.
package struct ParameterAverages: Sendable {
  /// The number of updates so far.
  package private(set) var updates = 0
  private var means: [String: Tensor] = [:]

  private static let prefix = "average."
  private static let counter = "average-updates"

  package init() {}

  /// The mean of a parameter; nil before the first update.
  package subscript(parameter: Parameter) -> Tensor? { means[parameter.key] }

  /// Moves each mean towards the parameter's current value by the fraction `part`; 1 replaces the
  /// mean.
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

  /// The means as named tensors, `average.KEY`, and the number of updates, `average-updates`.
  package var state: [String: Tensor] {
    var state = [Self.counter: Tensor(exactly: updates)]
    for (key, mean) in means { state[Self.prefix + key] = mean }
    return state
  }

  /// Restores the state from a file.
  ///
  /// - Throws: `OptimizerStateError` if it does not fit `parameters`. The means are unchanged then.
  package mutating func restore(
    _ state: [String: Tensor], for parameters: [Parameter], file: String
  ) throws(OptimizerStateError) {
    guard let count = state[Self.counter] else {
      throw .missing(file: file, name: Self.counter)
    }
    guard let updates = count.exactCount else {
      throw .invalid(file: file, name: Self.counter, reason: "is not a number of values")
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
  /// Replaces every element by `combine` of it and the corresponding element of `other`, on the
  /// thread pool.
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
