import DeepfakeCore
import Foundation

/// Finds pairs of similar 64-bit codes. The codes are sorted several times, each time by another
/// random choice of bits, and neighbours in each order are compared (Charikar 2002).
struct CodeTables: Sendable {
  /// A code and the sample that it belongs to.
  struct Entry: Sendable {
    var code: UInt64
    var sample: UInt32
    /// Index of this code among the sample's codes.
    var slot: UInt8
    /// Whether it is the code of the mirror image.
    var isMirrored: Bool
  }

  /// Number of following entries of other groups that each entry is compared with.
  var window: Int
  /// Maximum Hamming distance of a pair's codes, in bits.
  var distance: Int
  /// Number of entries in a row from one other group that are compared. The rest of the run is
  /// skipped, to reach other groups.
  var runLimit: Int
  /// Maximum number of accepted pairs of an entry with the entries after it. Without it, codes that
  /// are the same everywhere would fill the memory.
  var pairLimit = 4

  /// Number of bits that entries are sorted by.
  private static let keyBits = 32

  /// Sorts the entries by a random choice of bits and calls `body` with pairs of neighbours of
  /// different groups. Blocks of the order run in parallel.
  ///
  /// - Parameters:
  ///   - groups: The group of each sample.
  ///   - body: Gets the pair, the lower sample first, and the block's results so far. It returns
  ///     whether the pair was accepted, which counts towards `pairLimit`.
  /// - Returns: The results of each block, in order.
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
        // With only two groups, entries of the other group after this run count as a new run.
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
      // Two mirror images are as similar as the two pictures themselves, which are compared anyway.
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

  /// For each index, the end of the run of its group.
  private static func runEnds(_ sorted: [Entry], _ groups: [Int32]) -> [UInt32] {
    var ends = [UInt32](repeating: UInt32(clamping: sorted.count), count: sorted.count)
    for place in stride(from: sorted.count - 2, through: 0, by: -1) {
      let isSame = groups[Int(sorted[place].sample)] == groups[Int(sorted[place + 1].sample)]
      ends[place] = isSame ? ends[place + 1] : UInt32(clamping: place + 1)
    }
    return ends
  }

  /// Indices of the entries, sorted by a random choice of bits. The sort is stable.
  private static func sorted(
    _ entries: [Entry], using generator: inout SeededGenerator
  ) -> [UInt32] {
    let bits = Array((0..<64).shuffled(using: &generator).prefix(keyBits))
    // The bits that each value of each byte of a code adds to the key.
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

/// Radix sort of numbers by a range of their bits. The sort is stable.
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
