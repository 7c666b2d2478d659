/// How a setting's value is written as text, and which values are allowed.
///
/// A value is allowed if and only if `read` accepts the result of `write`. The same rule thus
/// checks values set by code and values in a text.
package struct SettingForm<Value> {
  /// The allowed values in words, such as `a whole number from 1 to 1000`. Words that users write
  /// are in code marks.
  package var marked: String
  /// The range alone, such as `1 to 1000`; nil if the value is not a number.
  package var limits: String?
  /// Whether a value can be a list.
  var isList: Bool
  /// Parses a text; nil if the value is not allowed.
  package var read: (SettingValue) -> Value?
  /// Converts a value to text.
  package var write: (Value) -> SettingValue

  package init(
    _ marked: String, limits: String? = nil, isList: Bool = false,
    read: @escaping (SettingValue) -> Value?, write: @escaping (Value) -> SettingValue
  ) {
    self.marked = marked
    self.limits = limits
    self.isList = isList
    self.read = read
    self.write = write
  }

  /// Creates a form for a single word or number.
  package init(
    _ marked: String, limits: String? = nil, parse: @escaping (String) -> Value?,
    text: @escaping (Value) -> String
  ) {
    self.init(
      marked, limits: limits,
      read: { if case .text(let text) = $0 { parse(text) } else { nil } },
      write: { .text(text($0)) })
  }

  /// The allowed values in words, without code marks, for messages.
  package var allowed: String { marked.unmarked }

  /// The error message for a value that cannot be read.
  func complaint(_ value: SettingValue) -> String {
    switch value {
    case .text: "is \(value.quoted); must be \(allowed)"
    case .list where isList: "is \(value.quoted); must be \(allowed)"
    default: "must be \(allowed), not \(value.kind)"
    }
  }
}

extension SettingForm where Value: FixedWidthInteger & LosslessStringConvertible {
  /// A whole number in `range` that is a multiple of `step`.
  package static func whole(in range: ClosedRange<Value>, multipleOf step: Value = 1) -> Self {
    var limits = "\(range.lowerBound) to \(range.upperBound)"
    if step != 1 { limits += ", a multiple of \(step)" }
    return Self("a whole number from \(limits)", limits: limits) { text in
      Value(text).flatMap { range.contains($0) && $0.isMultiple(of: step) ? $0 : nil }
    } text: {
      "\($0)"
    }
  }
}

extension SettingForm where Value: BinaryFloatingPoint & LosslessStringConvertible {
  /// A number in `range`.
  package static func number(in range: ClosedRange<Value>) -> Self {
    let limits = "\(range.lowerBound) to \(range.upperBound)"
    return Self("a number from \(limits)", limits: limits) { text in
      Value(text).flatMap { range.contains($0) ? $0 : nil }
    } text: {
      "\($0)"
    }
  }
}

extension SettingForm where Value == Bool {
  /// `true` or `false`.
  package static var flag: Self {
    Self("`true` or `false`", parse: { Bool($0) }, text: { "\($0)" })
  }
}

extension SettingForm where Value == String {
  /// Any text.
  package static var text: Self { Self("text", parse: { $0 }, text: { $0 }) }

  /// One of `words`.
  static func word(of words: [String]) -> Self {
    Self("one of \(words.marked)", parse: { words.contains($0) ? $0 : nil }) {
      $0
    }
  }
}

extension SettingForm where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  /// A case of a type, written as its raw value.
  package static var choice: Self {
    Self("one of \(names)", parse: { Value(rawValue: $0) }, text: { $0.rawValue })
  }

  fileprivate static var names: String {
    Value.allCases.map(\.rawValue).marked
  }
}

extension SettingForm where Value == [Float] {
  /// A list of `count` numbers in `range`.
  package static func numbers(_ count: Int, in range: ClosedRange<Float>) -> Self {
    let number = SettingForm<Float>.number(in: range)
    return Self(
      "a list of \(count) numbers from \(range.lowerBound) to \(range.upperBound)", isList: true
    ) { value in
      guard case .list(let items) = value, items.count == count else { return nil }
      let numbers = items.compactMap(number.read)
      return numbers.count == count ? numbers : nil
    } write: {
      .list($0.map(number.write))
    }
  }
}

extension SettingForm where Value == ClosedRange<Float> {
  /// A list of two numbers in `limits`, the first not above the second, that satisfy `rule`;
  /// `words` describes the rule.
  package static func range(
    in limits: ClosedRange<Float>, _ words: String,
    where rule: @escaping (_ first: Float, _ second: Float) -> Bool
  ) -> Self {
    let pair = SettingForm<[Float]>.numbers(2, in: limits)
    return Self("\(pair.marked), \(words)", isList: true) { value in
      guard let pair = pair.read(value), pair[0] <= pair[1], rule(pair[0], pair[1]) else {
        return nil
      }
      return pair[0]...pair[1]
    } write: {
      pair.write([$0.lowerBound, $0.upperBound])
    }
  }
}

extension SettingForm {
  /// Two numbers within limits, of which the second is not less; or one number, which stands for
  /// both. With `isSymmetric`, one number stands for the range from its negative to itself.
  package static func span(
    in limits: ClosedRange<Float>, isSymmetric: Bool = false
  ) -> Self where Value == ClosedRange<Float> {
    span(limits, isSymmetric: isSymmetric, "number") { Float($0) }
  }

  /// Whole numbers likewise.
  package static func span(in limits: ClosedRange<Int>) -> Self where Value == ClosedRange<Int> {
    span(limits, isSymmetric: false, "whole number") { Double($0).flatMap { Int(exactly: $0) } }
  }

  private static func span<Bound: SignedNumeric & Comparable>(
    _ limits: ClosedRange<Bound>, isSymmetric: Bool, _ noun: String,
    parse: @escaping (String) -> Bound?
  ) -> Self where Value == ClosedRange<Bound> {
    func number(_ value: SettingValue) -> Bound? {
      guard case .text(let text) = value, let number = parse(text) else { return nil }
      return limits.contains(number) ? number : nil
    }
    let single = isSymmetric ? " (meaning plus or minus that number)" : ""
    return Self(
      "a \(noun) from \(limits.lowerBound) to \(limits.upperBound)\(single), or a range of them,"
        + " `[low, high]`", isList: true
    ) { value in
      if case .list(let items) = value {
        guard items.count == 2, let low = number(items[0]), let high = number(items[1]), low <= high
        else { return nil }
        return low...high
      }
      guard let one = number(value) else { return nil }
      guard isSymmetric else { return one...one }
      let size = max(one, -one)
      return limits.contains(-size) && limits.contains(size) ? -size...size : nil
    } write: {
      .list([.text("\($0.lowerBound)"), .text("\($0.upperBound)")])
    }
  }
}

extension SettingForm where Value == [String] {
  /// A list of at most `limit` texts. A single text is read as a list of one.
  package static func texts(limit: Int) -> Self {
    Self("a list of at most \(limit) texts", isList: true) { value in
      let items: [SettingValue] = if case .list(let items) = value { items } else { [value] }
      let texts = items.compactMap { if case .text(let text) = $0 { text } else { nil } }
      return texts.count == items.count && texts.count <= limit ? texts : nil
    } write: {
      .list($0.map(SettingValue.text))
    }
  }
}

extension SettingForm {
  /// A list of cases of a type, at least one. A single word is read as a list of one.
  ///
  /// - Parameter isUnique: Whether each case may be there once only.
  package static func some<Case: RawRepresentable & CaseIterable>(isUnique: Bool = false) -> Self
  where Value == [Case], Case.RawValue == String {
    let texts = SettingForm<[String]>.texts(limit: 64)
    let rule = isUnique ? ", each at most once" : ""
    return Self("a list of some of \(SettingForm<Case>.names)\(rule)", isList: true) { value in
      let words = texts.read(value) ?? []
      let cases = words.compactMap { Case(rawValue: $0) }
      guard !words.isEmpty, cases.count == words.count else { return nil }
      return isUnique && Set(words).count < words.count ? nil : cases
    } write: {
      texts.write($0.map(\.rawValue))
    }
  }
}

extension [String] {
  /// The words in code marks with commas between them.
  package var marked: String { map { "`\($0)`" }.joined(separator: ", ") }
}

extension String {
  /// The text without code marks.
  package var unmarked: String { replacing("`", with: "") }

  /// The text with whole numbers written as such: 1 instead of 1.0.
  package var withPlainWholeNumbers: String {
    replacing(#/(\d)\.0(?!\d)/#) { String($0.1) }
  }
}
