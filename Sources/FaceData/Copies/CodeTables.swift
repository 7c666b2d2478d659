import DeepfakeCore
import Foundation

/// 64-bit codes, each of a sample, that are near each other: found by sorting them many times by
/// different choices of their bits and looking at neighbours in each order (Charikar 2002).
struct CodeTables: Sendable {
  /// A code and what it stands for.
  struct Entry: Sendable {
    var code: UInt64
    var sample: UInt32
    /// Of the sample's codes, which one this is.
    var slot: UInt8
    /// Whether it is the code of the mirror image.
    var isMirrored: Bool
  }

  /// Entries that a table pairs each one with.
  var window: Int
  /// Bits in which a pair's codes may differ.
  var distance: Int
  /// Entries of one group in a row that are paired; what comes after is skipped, so that others are
  /// seen.
  var runLimit: Int
  /// Pairs that an entry is in, with those after it, at most: what is the same everywhere must not
  /// fill memory.
  var pairLimit = 4

  /// Bits that an order is made of.
  private static let keyBits = 32

  /// Sorts the entries by some bits and gives `body` pairs of neighbours of different groups, in
  /// parallel, each block of the order by itself; the blocks' results in order. `body` says whether
  /// the pair was of use.
  func pairs<T: Sendable>(
    _ entries: [Entry], groups: [Int32], using generator: inout SeededGenerator,
    _ body: @Sendable (_ first: Entry, _ second: Entry, _ found: inout [T]) -> Bool
  ) -> [[T]] {
    guard entries.count > 1 else { return [] }
    let order = Self.sorted(entries, using: &generator)
    let sorted = order.map { entries[Int($0)] }
    let ends = Self.runEnds(sorted, groups)
    let blockLength = 4096
    let blocks = sorted.count.dividedRoundingUp(by: blockLength)
    return Parallel.map(blocks) { block in
      var found: [T] = []
      sorted.withUnsafeBufferPointer { sorted in
        for place in block * blockLength..<min(sorted.count, (block + 1) * blockLength) {
          pair(place, sorted, ends, groups) { body($0, $1, &found) }
        }
      }
      return found
    }
  }

  private func pair(
    _ place: Int, _ sorted: UnsafeBufferPointer<Entry>, _ ends: [UInt32], _ groups: [Int32],
    _ body: (Entry, Entry) -> Bool
  ) {
    let entry = sorted[place]
    let group = groups[Int(entry.sample)]
    var (other, left) = (place + 1, window)
    var (run, runGroup) = (0, group)
    var used = 0
    while left > 0, other < sorted.count {
      let candidate = sorted[other]
      let itsGroup = groups[Int(candidate.sample)]
      if itsGroup == group {
        // Where there are two groups only, the other's next run is another one.
        (other, run) = (Int(ends[other]), 0)
        continue
      }
      run = itsGroup == runGroup ? run + 1 : 1
      runGroup = itsGroup
      guard run <= runLimit else {
        other = Int(ends[other])
        continue
      }
      left -= 1
      other += 1
      // Two mirror images are as near as the two pictures are, which pair by themselves.
      guard !(entry.isMirrored && candidate.isMirrored),
        (entry.code ^ candidate.code).nonzeroBitCount <= distance
      else { continue }
      let isInOrder = entry.sample < candidate.sample
      if isInOrder ? body(entry, candidate) : body(candidate, entry) {
        used += 1
        if used == pairLimit { return }
      }
    }
  }

  /// Of each place, where the run of its group ends.
  private static func runEnds(_ sorted: [Entry], _ groups: [Int32]) -> [UInt32] {
    var ends = [UInt32](repeating: UInt32(clamping: sorted.count), count: sorted.count)
    for place in stride(from: sorted.count - 2, through: 0, by: -1) {
      let isSame = groups[Int(sorted[place].sample)] == groups[Int(sorted[place + 1].sample)]
      ends[place] = isSame ? ends[place + 1] : UInt32(clamping: place + 1)
    }
    return ends
  }

  /// The entries' places in the order of a random choice of bits; equal ones in their own order.
  private static func sorted(
    _ entries: [Entry], using generator: inout SeededGenerator
  ) -> [UInt32] {
    let bits = Array((0..<64).shuffled(using: &generator).prefix(keyBits))
    // What each byte of a code gives the key.
    let parts: [UInt32] = (0..<8 * 256).map { place in
      let (byte, value) = (place / 256, UInt64(place % 256))
      var key: UInt32 = 0
      for (rank, bit) in bits.enumerated() where bit / 8 == byte {
        if value >> UInt64(bit % 8) & 1 == 1 { key |= 1 << UInt32(keyBits - 1 - rank) }
      }
      return key
    }
    var keyed = [UInt64](unsafeUninitializedCapacity: entries.count) { buffer, initialized in
      for (place, entry) in entries.enumerated() {
        var key: UInt32 = 0
        for byte in 0..<8 {
          key |= parts[byte * 256 + Int(truncatingIfNeeded: entry.code >> UInt64(8 * byte) & 255)]
        }
        buffer[place] = UInt64(key) << 32 | UInt64(UInt32(clamping: place))
      }
      initialized = entries.count
    }
    RadixSort.sort(&keyed, bits: 32..<64)
    return keyed.map { UInt32(truncatingIfNeeded: $0) }
  }
}

/// Sorting of numbers by some of their bits; those with the same bits stay in their order.
enum RadixSort {
  private static let digit = 11

  static func sort(_ numbers: inout [UInt64], bits: Range<Int>) {
    var other = [UInt64](repeating: 0, count: numbers.count)
    var low = bits.lowerBound
    while low < bits.upperBound {
      let width = min(digit, bits.upperBound - low)
      numbers.withUnsafeMutableBufferPointer { from in
        other.withUnsafeMutableBufferPointer { to in
          pass(from, to, shift: UInt64(low), mask: (1 << UInt64(width)) - 1)
        }
      }
      swap(&numbers, &other)
      low += width
    }
  }

  private static func pass(
    _ from: UnsafeMutableBufferPointer<UInt64>, _ to: UnsafeMutableBufferPointer<UInt64>,
    shift: UInt64, mask: UInt64
  ) {
    var places = [Int](repeating: 0, count: Int(mask) + 1)
    for number in from { places[Int(truncatingIfNeeded: number >> shift & mask)] += 1 }
    var sum = 0
    for value in places.indices {
      (places[value], sum) = (sum, sum + places[value])
    }
    places.withUnsafeMutableBufferPointer { places in
      for number in from {
        let value = Int(truncatingIfNeeded: number >> shift & mask)
        to[places[value]] = number
        places[value] += 1
      }
    }
  }
}
