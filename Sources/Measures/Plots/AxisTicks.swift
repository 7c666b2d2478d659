import Foundation

/// The ticks of an axis: round numbers that cover a range.
package struct AxisTicks: Sendable, Equatable {
  /// The ticks' values, rising.
  package var values: [Double]
  /// The text of each tick.
  package var labels: [String]
  /// The range of the axis: the given range, extended to the first and last tick if `widened`.
  package var range: ClosedRange<Double>

  /// Creates about `count` ticks at multiples of 1, 2 or 5 times a power of ten. With `whole`,
  /// ticks are at whole numbers only. With `widened`, the axis ends at ticks.
  package init(
    linear range: ClosedRange<Double>, count: Int = 5, whole: Bool = false, widened: Bool = true
  ) {
    let range = Self.usable(range)
    let span = range.upperBound - range.lowerBound
    let rough = span / Double(max(1, count))
    let power = pow(10, floor(log10(rough)))
    let factor = [(1.5, 1.0), (3, 2), (7, 5)].first { rough < $0.0 * power }?.1 ?? 10
    var step = factor * power
    if whole { step = max(1, step.rounded()) }
    let slack = 1e-9
    let first =
      widened ? floor(range.lowerBound / step + slack) : ceil(range.lowerBound / step - slack)
    let last =
      widened ? ceil(range.upperBound / step - slack) : floor(range.upperBound / step + slack)
    // Ranges so large that a Double cannot count the steps get no ticks.
    let numbers = last - first < 1000 ? Array(stride(from: first, through: last, by: 1)) : []
    values = numbers.map { $0 * step }
    let decimals = max(0, Int(ceil(-log10(step) - slack)))
    labels = values.map { Self.label($0, decimals: decimals) }
    self.range =
      widened
      ? min(
        range.lowerBound, values.first ?? range.lowerBound)...max(
          range.upperBound, values.last ?? range.upperBound) : range
  }

  /// Creates ticks at powers of ten, and at 2 and 5 times those if the range is short. The range
  /// must be positive; it is extended to full ticks.
  package init(logarithmic range: ClosedRange<Double>) {
    var low = max(range.lowerBound, 1e-300)
    var high = max(range.upperBound, low)
    if high < low * 1.01 { (low, high) = (low / 2, high * 2) }
    let powers = Int(floor(log10(low) + 1e-9))...Int(ceil(log10(high) - 1e-9))
    let factors: [Double] = powers.count <= 3 ? [1, 2, 5] : [1]
    let every = max(1, powers.count / 8)
    let all = powers.filter { ($0 - powers.lowerBound) % every == 0 }
      .flatMap { power in factors.map { $0 * pow(10, Double(power)) } }
    let first = all.last { $0 <= low * 1.000_001 } ?? low
    let last = all.first { $0 >= high * 0.999_999 } ?? high
    values = all.filter { $0 >= first && $0 <= last }
    labels = values.map { Self.plain($0) }
    self.range = first < last ? first...last : first...first * 10
  }

  /// The range, made finite and not empty.
  private static func usable(_ range: ClosedRange<Double>) -> ClosedRange<Double> {
    guard range.lowerBound.isFinite, range.upperBound.isFinite else { return 0...1 }
    guard range.upperBound - range.lowerBound > abs(range.upperBound) * 1e-12 else {
      let margin = range.upperBound == 0 ? 0.5 : abs(range.upperBound) * 0.1
      return range.lowerBound - margin...range.upperBound + margin
    }
    return range
  }

  private static func label(_ value: Double, decimals: Int) -> String {
    guard abs(value) < 1e15, decimals <= 9 else { return plain(value) }
    return fixed(value == 0 ? 0 : value, decimals)
  }

  /// The number with about three significant digits and without trailing zeros; with an exponent
  /// below 1e-4 and from 1e6 on.
  package static func plain(_ value: Double) -> String {
    guard value != 0, value.isFinite else { return "\(value == 0 ? "0" : "\(value)")" }
    let power = Int(floor(log10(abs(value)) + 1e-9))
    guard power < -4 || power >= 6 else {
      var text = fixed(value, max(0, 2 - power))
      if text.contains(".") {
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
      }
      return text
    }
    var mantissa = fixed(value / pow(10, Double(power)), 2)
    while mantissa.hasSuffix("0") { mantissa.removeLast() }
    if mantissa.hasSuffix(".") { mantissa.removeLast() }
    return "\(mantissa)e\(power)"
  }

  /// The number with that many decimals; "inf" or "nan" if it is not finite.
  package static func fixed(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite else { return "\(value)" }
    return String(format: "%.\(decimals)f", value)
  }
}
