/// A value of a step's parameter, whatever text it was read from.
package indirect enum AugmentationValue: Sendable, Equatable {
  case number(Double)
  case word(String)
  /// Several values.
  case list([AugmentationValue])
  /// Steps within a step.
  case steps([AugmentationDescription])
}

/// A step of an augmentation as data: its name and what it says otherwise than the defaults.
package struct AugmentationDescription: Sendable, Equatable {
  /// The name of an operation, see `Augmentation.operationNames`.
  package var name: String
  /// Parameters by key. `probability` is one of every step.
  package var parameters: [String: AugmentationValue]

  /// A description.
  package init(_ name: String, _ parameters: [String: AugmentationValue] = [:]) {
    self.name = name
    self.parameters = parameters
  }
}

/// Why a described augmentation cannot be made: the step, the key, and what is allowed there.
package struct AugmentationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The step's name; of a step within a step, both with a dot between.
  package var step: String
  /// The parameter; empty where it is about the step.
  package var key: String
  /// What is wrong and what is allowed.
  package var problem: String

  /// The message for people.
  package var description: String {
    key.isEmpty ? "\(step): \(problem)" : "\(step).\(key): \(problem)"
  }
}

/// A step's parameters, read from or written to a description by one and the same method of the
/// step: each key is stated once.
package struct AugmentationFields {
  private let step: String
  private var given: [String: AugmentationValue]
  private var known: [String] = []
  /// What was asked for, with its values.
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
    throw error(unknown, "is not a known key; the keys are \(known.joined(separator: ", "))")
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

  /// A range within limits: two numbers, or one that stands for itself; where `isSymmetric`, one
  /// stands for the range from its negative to itself.
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
          "must be a number, or two numbers in ascending order, from \(limits.lowerBound) to"
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

  /// A range of whole numbers within limits, likewise.
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
          "must be a whole number, or two whole numbers in ascending order, from"
            + " \(limits.lowerBound) to \(limits.upperBound)")
      }
      value = low...high
    }
    written[key] = .list([
      .number(Double(value.lowerBound)), .number(Double(value.upperBound)),
    ])
  }

  /// One of the cases of a type, by raw value.
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

  /// Some of the cases of a type, at least one; a single word stands for itself.
  package mutating func choices<T: RawRepresentable & CaseIterable & Equatable>(
    _ key: String, _ value: inout [T]
  ) throws(AugmentationError) where T.RawValue == String {
    if let found = take(key) {
      let items: [AugmentationValue] = if case .list(let list) = found { list } else { [found] }
      var chosen: [T] = []
      for item in items {
        guard case .word(let word) = item, let one = T(rawValue: word), !chosen.contains(one)
        else {
          throw error(key, "must be a list of \(Self.words(T.self)), each at most once")
        }
        chosen.append(one)
      }
      guard !chosen.isEmpty else {
        throw error(key, "must name at least one of \(Self.words(T.self))")
      }
      value = chosen
    }
    written[key] = .list(value.map { .word($0.rawValue) })
  }

  private static func words<T: RawRepresentable & CaseIterable>(_ type: T.Type) -> String
  where T.RawValue == String {
    T.allCases.map(\.rawValue).joined(separator: ", ")
  }

  /// Steps within a step, at least one.
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
