import DeepfakeCore
import Testing

/// Expects every element to be within `tolerance`, absolute, or relative where the expected value
/// is larger than 1 in magnitude. NaN is never close. Reports the worst element at the caller's
/// line.
public func expectClose(
  _ found: [Float], _ expected: [Float], tolerance: Float, _ label: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  precondition(tolerance > 0)
  guard found.count == expected.count else {
    Issue.record(
      "\(label): \(found.count) elements, expected \(expected.count)",
      sourceLocation: sourceLocation)
    return
  }
  var worst: (index: Int, error: Float)?
  for i in found.indices {
    let error = abs(found[i] - expected[i]) / max(1, abs(expected[i]))
    if !(error <= tolerance), !((worst?.error ?? -1) >= error) { worst = (i, error) }
  }
  if let worst {
    Issue.record(
      """
      \(label): element \(worst.index) is \(found[worst.index]), \
      expected \(expected[worst.index]) within \(tolerance)
      """, sourceLocation: sourceLocation)
  }
}

/// The same for tensors, whose shapes must be equal.
public func expectClose(
  _ found: Tensor, _ expected: Tensor, tolerance: Float, _ label: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(found.shape == expected.shape, "\(label): shape", sourceLocation: sourceLocation)
  guard found.shape == expected.shape else { return }
  expectClose(
    found.scalars, expected.scalars, tolerance: tolerance, label, sourceLocation: sourceLocation)
}
