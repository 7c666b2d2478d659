import Foundation

/// Large buffers, cut out of larger regions of memory. Neighbours that are free join again, so that
/// what one layer gave back serves another of any size: training holds little more than what is in
/// use.
///
/// Touched under its owner's lock only; hence `@unchecked Sendable`.
struct Arena: @unchecked Sendable {
  private struct Region {
    var start: UnsafeMutableRawPointer
    var size: Int
  }

  private struct Block {
    var start: UnsafeMutableRawPointer
    var size: Int
    /// Bytes, the first ones, that have been used and not been given back to the system.
    var kept: Int
    /// The region's start.
    var region: UnsafeMutableRawPointer

    var end: UnsafeMutableRawPointer { start + size }
  }

  /// By address.
  private var regions: [Region] = []
  /// Free blocks by address; neighbours of one region are one block.
  private var free: [Block] = []

  /// Bytes of buffers in use.
  private(set) var usedBytes = 0
  /// Bytes of free blocks that the system has lent.
  private(set) var keptBytes = 0

  /// Buffers begin and end at pages.
  static let page = 4096
  /// Regions begin and end at these, and are made of such pages where the system has them: a
  /// thousand small ones take far longer to get.
  private static let largePage = 2 << 20
  /// Of address space: the system lends what is touched. The larger, the more free neighbours join.
  private static let leastRegion = max(
    64 << 20, min(1 << 30, Int(clamping: ProcessInfo.processInfo.physicalMemory / 16)))

  /// The bytes that a buffer of `bytes` takes.
  static func size(for bytes: Int) -> Int { bytes.dividedRoundingUp(by: page) * page }

  /// Uninitialised memory of a size that `size(for:)` gave.
  mutating func take(_ size: Int) -> UnsafeMutableRawPointer {
    // The smallest block that is large enough.
    var best: Int?
    for i in free.indices where free[i].size >= size {
      if let so = best, free[so].size <= free[i].size { continue }
      best = i
    }
    let index = best ?? addRegion(for: size)
    let start = free[index].start
    let kept = min(free[index].kept, size)
    free[index].start += size
    free[index].size -= size
    free[index].kept -= kept
    if free[index].size == 0 { free.remove(at: index) }
    keptBytes -= kept
    usedBytes += size
    return start
  }

  /// Takes a buffer back.
  mutating func give(_ start: UnsafeMutableRawPointer, _ size: Int) {
    usedBytes -= size
    keptBytes += size
    let region = regions[firstIndex(regions.count) { regions[$0].start > start } - 1].start
    var block = Block(start: start, size: size, kept: size, region: region)
    var index = firstIndex(free.count) { free[$0].start > start }
    if index < free.count, free[index].start == block.end, free[index].region == region {
      block.size += free[index].size
      block.kept += free[index].kept
      free.remove(at: index)
    }
    if index > 0, free[index - 1].end == start, free[index - 1].region == region {
      index -= 1
      free[index].size += block.size
      free[index].kept += block.kept
    } else {
      free.insert(block, at: index)
    }
  }

  /// Gives free memory back to the system.
  mutating func releaseFree() {
    for block in free where block.kept > 0 && !isWhole(block) {
      madvise(block.start, block.size, Self.notNeeded)
    }
    for block in free where isWhole(block) { block.start.deallocate() }
    let gone = Set(free.filter(isWhole).map(\.start))
    regions.removeAll { gone.contains($0.start) }
    free.removeAll { gone.contains($0.start) }
    for i in free.indices { free[i].kept = 0 }
    keptBytes = 0
  }

  private func isWhole(_ block: Block) -> Bool {
    regions[firstIndex(regions.count) { regions[$0].start > block.start } - 1].size == block.size
  }

  /// A new region's block.
  private mutating func addRegion(for size: Int) -> Int {
    let wanted = max(size, Self.leastRegion)
    let size = wanted.dividedRoundingUp(by: Self.largePage) * Self.largePage
    let start = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: Self.largePage)
    #if os(Linux)
      madvise(start, size, Int32(MADV_HUGEPAGE))
    #endif
    regions.insert(
      Region(start: start, size: size), at: firstIndex(regions.count) { regions[$0].start > start })
    let index = firstIndex(free.count) { free[$0].start > start }
    free.insert(Block(start: start, size: size, kept: 0, region: start), at: index)
    return index
  }

  /// The first of `count` sorted places from which on `isAfter` holds.
  private func firstIndex(_ count: Int, _ isAfter: (Int) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if isAfter(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }

  #if os(Linux)
    private static let notNeeded = Int32(MADV_DONTNEED)
  #else
    private static let notNeeded = Int32(MADV_FREE)
  #endif
}
