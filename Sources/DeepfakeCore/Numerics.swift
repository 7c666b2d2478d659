import Foundation

/// 1 / (1 + exp(-x)), computed without overflow or loss of precision for any sign of x.
package func sigmoid(_ x: Double) -> Double {
  if x >= 0 { return 1 / (1 + exp(-x)) }
  let e = exp(x)
  return e / (1 + e)
}

/// 1 / (1 + exp(-x)), computed without overflow or loss of precision for any sign of x.
package func sigmoid(_ x: Float) -> Float {
  if x >= 0 { return 1 / (1 + exp(-x)) }
  let e = exp(x)
  return e / (1 + e)
}

extension Int {
  /// The quotient of two positive numbers, rounded up: 7 by 3 gives 3.
  package func dividedRoundingUp(by divisor: Int) -> Int { (self + divisor - 1) / divisor }
}
