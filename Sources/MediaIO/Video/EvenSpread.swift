/// Indices that are evenly spaced over a sequence and include its ends.
package enum EvenSpread {
  /// `count` evenly spaced indices of `total`. Index i is i (total - 1) / (count - 1), rounded half
  /// to even and computed in exact arithmetic.
  ///
  /// If `count` is at least `total`, all indices; if `count` is 1, only the first.
  package static func indices(_ count: Int, of total: Int) -> [Int] {
    precondition(count > 0 && total >= 0, "EvenSpread: \(count) of \(total)")
    if count >= total { return Array(0..<total) }
    if count == 1 { return [0] }
    let divisor = count - 1
    // The product of an index and the remainder is below count squared, so it cannot overflow.
    let (step, rest) = (total - 1).quotientAndRemainder(dividingBy: divisor)
    return (0..<count).map { i in
      let (extra, remainder) = (i * rest).quotientAndRemainder(dividingBy: divisor)
      let whole = i * step + extra
      let roundsUp = 2 * remainder > divisor || (2 * remainder == divisor && whole % 2 == 1)
      return whole + (roundsUp ? 1 : 0)
    }
  }
}
