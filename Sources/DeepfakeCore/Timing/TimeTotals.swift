import Synchronization

/// The total time of pieces of work, by key. Any number of threads may add to it at once.
final class TimeTotals<Key: Hashable & Sendable>: Sendable {
  /// The total for one key.
  struct Total: Sendable {
    let key: Key
    var calls = 0
    var seconds = 0.0
  }

  private struct Table: Sendable {
    var places: [Key: Int] = [:]
    var totals: [Total] = []
  }

  private let table = Mutex(Table())

  /// The totals so far, in the order in which their keys were first added.
  var totals: [Total] { table.withLock(\.totals) }

  /// Adds one call that took `seconds`.
  func add(_ key: Key, _ seconds: Double) {
    table.withLock { table in
      let place = table.places[key] ?? table.totals.count
      if place == table.totals.count {
        table.places[key] = place
        table.totals.append(Total(key: key))
      }
      table.totals[place].calls += 1
      table.totals[place].seconds += seconds
    }
  }
}

extension ContinuousClock.Instant {
  /// Seconds from this moment to now.
  var secondsSince: Double {
    let (seconds, attoseconds) = (ContinuousClock.now - self).components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }
}
