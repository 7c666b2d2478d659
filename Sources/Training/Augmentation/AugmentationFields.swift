/// A value of a step's parameter, independent of the text format that it was read from.
package indirect enum AugmentationValue: Sendable, Equatable {
  case number(Double)
  case word(String)
  case list([AugmentationValue])
  /// Steps within a step, as in `oneOf`.
  case steps([AugmentationDescription])
}

/// A step of an augmentation as data: its name, and the parameters that differ from the defaults.
package struct AugmentationDescription: Sendable, Equatable {
  /// The name of an operation, see `Augmentation.operationNames`.
  package var name: String
  /// Parameters by key. Every step has `probability`.
  package var parameters: [String: AugmentationValue]

  package init(_ name: String, _ parameters: [String: AugmentationValue] = [:]) {
    self.name = name
    self.parameters = parameters
  }
}

/// An error in a described augmentation. It names the step, the key, and the values allowed there.
package struct AugmentationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The step's name. For a step within a step, both names with a dot between them.
  package var step: String
  /// The parameter; empty if the error is about the step as a whole.
  package var key: String
  /// What is wrong, and which values are allowed.
  package var problem: String

  /// The message for the user.
  package var description: String {
    key.isEmpty ? "\(step): \(problem)" : "\(step).\(key): \(problem)"
  }
}

/// Reads a step's parameters from a description and writes them to one. A step lists its parameters
/// in a single method for both, so each key occurs once.
package struct AugmentationFields {
  private let step: String
  private var given: [String: AugmentationValue]
  private var known: [String] = []
  /// The parameters asked for so far, with their values.
  private(set) var written: [String: AugmentationValue] = [:]

  init(_ description: AugmentationDescription) {
    step = description.name
    given = description.parameters
  }

  private func error(_ key: String, _ problem: String) -> AugmentationError {
    AugmentationError(step: step, key: key, problem: problem)
  }

  private mutating func take(_ key: String) -> AugmentationValue? {
    known.append(key)
    return given.removeValue(forKey: key)
  }

  /// Throws if the description has a key that was not asked for.
  func end() throws(AugmentationError) {
    guard let unknown = given.keys.min() else { return }
    throw error(unknown, "is not a known key; known here: \(known.joined(separator: ", "))")
  }

  /// A number within limits.
  package mutating func number(
    _ key: String, _ value: inout Float, in limits: ClosedRange<Float>
  ) throws(AugmentationError) {
    if let found = take(key) {
      guard case .number(let number) = found, limits.contains(Float(number)) else {
        throw error(
          key, "must be a number from \(limits.lowerBound) to \(limits.upperBound)")
      }
      value = Float(number)
    }
    written[key] = .number(Double(value))
  }

  /// A range within limits, given as two numbers. A single number x means x...x, or -|x|...|x| if
  /// `isSymmetric`.
  package mutating func range(
    _ key: String, _ value: inout ClosedRange<Float>, in limits: ClosedRange<Float>,
    isSymmetric: Bool = false
  ) throws(AugmentationError) {
    if let found = take(key) {
      let bounds = Self.bounds(found, isSymmetric: isSymmetric)
      guard let bounds, limits.contains(bounds.lowerBound), limits.contains(bounds.upperBound)
      else {
        throw error(
          key,
          "must be a number, or two of which the second is not less, from \(limits.lowerBound) to"
            + " \(limits.upperBound)")
      }
      value = bounds
    }
    written[key] = .list([
      .number(Double(value.lowerBound)), .number(Double(value.upperBound)),
    ])
  }

  private static func bounds(
    _ value: AugmentationValue, isSymmetric: Bool
  ) -> ClosedRange<Float>? {
    switch value {
    case .number(let number):
      let number = Float(number)
      guard number.isFinite else { return nil }
      return isSymmetric ? -abs(number)...abs(number) : number...number
    case .list(let list):
      guard list.count == 2, case .number(let low) = list[0], case .number(let high) = list[1],
        low <= high
      else { return nil }
      return Float(low)...Float(high)
    default: return nil
    }
  }

  /// A range of whole numbers within limits, given as one or two numbers.
  package mutating func integers(
    _ key: String, _ value: inout ClosedRange<Int>, in limits: ClosedRange<Int>
  ) throws(AugmentationError) {
    if let found = take(key) {
      guard let bounds = Self.bounds(found, isSymmetric: false),
        let low = Int(exactly: bounds.lowerBound), let high = Int(exactly: bounds.upperBound),
        limits.contains(low), limits.contains(high)
      else {
        throw error(
          key,
          "must be a whole number, or two of which the second is not less, from"
            + " \(limits.lowerBound) to \(limits.upperBound)")
      }
      value = low...high
    }
    written[key] = .list([
      .number(Double(value.lowerBound)), .number(Double(value.upperBound)),
    ])
  }

  /// One of the cases of an enum, by its raw value.
  package mutating func choice<T: RawRepresentable & CaseIterable>(
    _ key: String, _ value: inout T
  ) throws(AugmentationError) where T.RawValue == String {
    if let found = take(key) {
      guard case .word(let word) = found, let chosen = T(rawValue: word) else {
        throw error(key, "must be one of \(Self.words(T.self))")
      }
      value = chosen
    }
    written[key] = .word(value.rawValue)
  }

  /// A list of at least one of the cases of an enum, each once. A single word is a list of one.
  package mutating func choices<T: RawRepresentable & CaseIterable & Equatable>(
    _ key: String, _ value: inout [T]
  ) throws(AugmentationError) where T.RawValue == String {
    if let found = take(key) {
      let items: [AugmentationValue] = if case .list(let list) = found { list } else { [found] }
      var chosen: [T] = []
      for item in items {
        guard case .word(let word) = item, let one = T(rawValue: word), !chosen.contains(one)
        else {
          throw error(key, "must be a list of some of \(Self.words(T.self)), each once")
        }
        chosen.append(one)
      }
      guard !chosen.isEmpty else { throw error(key, "must name one of \(Self.words(T.self))") }
      value = chosen
    }
    written[key] = .list(value.map { .word($0.rawValue) })
  }

  private static func words<T: RawRepresentable & CaseIterable>(_ type: T.Type) -> String
  where T.RawValue == String {
    T.allCases.map(\.rawValue).joined(separator: ", ")
  }

  /// A list of at least one step within a step.
  package mutating func steps(
    _ key: String, _ value: inout [Augmentation.Step]
  ) throws(AugmentationError) {
    if let found = take(key) {
      guard case .steps(let descriptions) = found, !descriptions.isEmpty else {
        throw error(key, "must be a list of steps")
      }
      var steps: [Augmentation.Step] = []
      for description in descriptions {
        do {
          steps.append(try Augmentation.Step(description))
        } catch {
          var inner = error
          inner.step = "\(step).\(inner.step)"
          throw inner
        }
      }
      value = steps
    }
    written[key] = .steps(value.map(\.description))
  }
}
