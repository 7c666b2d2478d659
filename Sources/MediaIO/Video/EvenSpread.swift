/// Indices spread evenly over a sequence, its ends included.
package enum EvenSpread {
  /// The `count` of `total` indices that are evenly spread: index i is i (total - 1) / (count - 1),
  /// rounded half to even, in exact arithmetic.
  ///
  /// All indices where `count` is `total` or more; the first alone where `count` is 1.
  package static func indices(_ count: Int, of total: Int) -> [Int] {
    precondition(count > 0 && total >= 0, "EvenSpread: \(count) of \(total)")
    if count >= total { return Array(0..<total) }
    if count == 1 { return [0] }
    let divisor = count - 1
    // The product of an index and the remainder stays below count squared, whatever the total.
    let (step, rest) = (total - 1).quotientAndRemainder(dividingBy: divisor)
    return (0..<count).map { i in
      let (extra, remainder) = (i * rest).quotientAndRemainder(dividingBy: divisor)
      let whole = i * step + extra
      let roundsUp = 2 * remainder > divisor || (2 * remainder == divisor && whole % 2 == 1)
      return whole + (roundsUp ? 1 : 0)
    }
  }
}
