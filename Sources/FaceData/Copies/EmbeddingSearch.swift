import CDFKernels
import DeepfakeCore
import Foundation

/// Searches the nearest embeddings of other groups. Small tables are compared exhaustively. In
/// large tables each embedding is assigned to the nearest of some randomly chosen embeddings (the
/// centres of cells) and compared only with those of its nearest cells (an inverted file, Sivic and
/// Zisserman 2003).
struct EmbeddingSearch: Sendable {
  /// A pair of samples, the lower index first.
  struct Pair: Sendable, Hashable {
    var first: UInt32
    var second: UInt32
    var similarity: Float
  }

  /// Number of neighbours kept for each sample.
  var neighbours: Int
  /// Minimum dot product of two neighbours.
  var least: Float
  /// Number of nearest cells that each sample is compared with.
  var probes = 4

  /// Average number of samples in a cell. Fewer than eight times as many samples are a single cell.
  private static let cellLength = 1024
  /// Maximum number of embeddings of one cell that a sample is compared with.
  private static let pieceLength = 8192

  /// Pairs of neighbours among the given samples, sorted by index. Each pair is listed once.
  func pairs(
    _ table: FingerprintTable, _ samples: [Int], groups: [Int32],
    using generator: inout SeededGenerator
  ) -> [Pair] {
    let dimension = table.dimension
    guard dimension > 0, samples.count > 1 else { return [] }
    let cells = Cells(table, samples, probes: probes, length: Self.cellLength, using: &generator)
    // Sorted by cell, so that each cell is contiguous in memory.
    let ordered = cells.order.map { samples[Int($0)] }
    let packed = table.embeddings(of: ordered)
    let scale = FingerprintTable.embeddingScale(dimension)
    let floor = Int32((least * scale * scale).rounded(.up))
    let blockLength = 256
    let blocks = ordered.count.dividedRoundingUp(by: blockLength)
    let found = Parallel.map(blocks) { block in
      var found: [Pair] = []
      packed.withUnsafeBufferPointer { packed in
        guard let start = packed.baseAddress, !Task.isCancelled else { return }
        var sums = [Int32](repeating: 0, count: Self.pieceLength)
        for place in block * blockLength..<min(ordered.count, (block + 1) * blockLength) {
          var best = Nearest(count: neighbours, floor: floor)
          for range in cells.ranges(of: place, pieceLength: Self.pieceLength) {
            df_i8_dots(
              range.count, dimension, start + range.lowerBound * dimension,
              start + place * dimension, &sums)
            for (offset, other) in range.enumerated() where sums[offset] >= best.worst {
              if groups[ordered[other]] != groups[ordered[place]] {
                best.add(sums[offset], UInt32(clamping: ordered[other]))
              }
            }
          }
          let sample = UInt32(clamping: ordered[place])
          for (sum, other) in best.entries {
            found.append(
              Pair(
                first: min(sample, other), second: max(sample, other),
                similarity: min(1, Float(sum) / (scale * scale))))
          }
        }
      }
      return found
    }
    let sorted = found.joined().sorted { ($0.first, $0.second) < ($1.first, $1.second) }
    var pairs: [Pair] = []
    for pair in sorted where pairs.last?.first != pair.first || pairs.last?.second != pair.second {
      pairs.append(pair)
    }
    return pairs
  }
}

extension FingerprintTable {
  /// The embeddings of some samples, concatenated.
  fileprivate func embeddings(of samples: [Int]) -> [Int8] {
    var packed: [Int8] = []
    packed.reserveCapacity(samples.count * dimension)
    for sample in samples { packed += embeddings[sample * dimension..<(sample + 1) * dimension] }
    return packed
  }
}

/// The highest sums so far with their samples. Of equal sums, the one added first is preferred.
private struct Nearest {
  private(set) var entries: [(sum: Int32, sample: UInt32)] = []
  private let count: Int
  /// The lowest sum that is still accepted.
  private(set) var worst: Int32

  init(count: Int, floor: Int32) {
    self.count = count
    worst = floor
  }

  mutating func add(_ sum: Int32, _ sample: UInt32) {
    let place = entries.firstIndex { $0.sum < sum } ?? entries.count
    guard place < count, !entries.contains(where: { $0.sample == sample }) else { return }
    entries.insert((sum, sample), at: place)
    if entries.count > count { entries.removeLast() }
    if entries.count == count, let last = entries.last { worst = max(worst, last.sum + 1) }
  }
}

/// Samples grouped by their nearest cell centre.
private struct Cells: Sendable {
  /// Indices into the list of samples, sorted by cell.
  let order: [UInt32]
  /// Start of each cell in `order`, then the end of the last cell.
  private let starts: [Int]
  /// The `probes` nearest cells of each element of `order`, the nearest first.
  private let nearest: [UInt16]
  private let probes: Int

  init(
    _ table: FingerprintTable, _ samples: [Int], probes: Int, length: Int,
    using generator: inout SeededGenerator
  ) {
    let count = samples.count < 8 * length ? 1 : min(samples.count / length, Int(UInt16.max))
    guard count > 1 else {
      self.probes = 1
      order = samples.indices.map { UInt32(clamping: $0) }
      starts = [0, samples.count]
      nearest = Array(repeating: 0, count: samples.count)
      return
    }
    let dimension = table.dimension
    let centres = table.embeddings(
      of: (0..<count).map { _ in samples[Int.random(in: 0..<samples.count, using: &generator)] })
    let probes = min(probes, count)
    let blockLength = 256
    let blocks = samples.count.dividedRoundingUp(by: blockLength)
    let found = Parallel.map(blocks) { block -> [UInt16] in
      var sums = [Int32](repeating: 0, count: count)
      var cells: [UInt16] = []
      for sample in samples[block * blockLength..<min(samples.count, (block + 1) * blockLength)] {
        table.embeddings.withUnsafeBufferPointer {
          guard let start = $0.baseAddress else { return }
          df_i8_dots(count, dimension, centres, start + sample * dimension, &sums)
        }
        var best = Nearest(count: probes, floor: .min)
        for cell in 0..<count where sums[cell] >= best.worst {
          best.add(sums[cell], UInt32(clamping: cell))
        }
        cells += best.entries.map { UInt16(clamping: $0.sample) }
      }
      return cells
    }
    let cells = Array(found.joined())
    var keyed = samples.indices.map {
      UInt64(cells[$0 * probes]) << 32 | UInt64(UInt32(clamping: $0))
    }
    RadixSort.sort(&keyed, bits: 32..<48)
    let order = keyed.map { UInt32(truncatingIfNeeded: $0) }
    var starts = [Int](repeating: 0, count: count + 1)
    for place in samples.indices { starts[Int(cells[place * probes]) + 1] += 1 }
    for cell in 0..<count { starts[cell + 1] += starts[cell] }
    self.probes = probes
    self.order = order
    self.starts = starts
    nearest = order.flatMap { cells[Int($0) * probes..<(Int($0) + 1) * probes] }
  }

  /// The ranges of `order` that the sample at `place` is compared with: one piece of each of its
  /// nearest cells. In its own cell, that is the piece that contains it.
  func ranges(of place: Int, pieceLength: Int) -> [Range<Int>] {
    (0..<probes).map { probe in
      let cell = Int(nearest[place * probes + probe])
      let (start, end) = (starts[cell], starts[cell + 1])
      let pieces = max(1, (end - start).dividedRoundingUp(by: pieceLength))
      let isOwn = (start..<end).contains(place)
      let piece = isOwn ? (place - start) / pieceLength : place % pieces
      let first = start + piece * pieceLength
      return first..<min(end, first + pieceLength)
    }
  }
}
