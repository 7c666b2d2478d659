import Foundation

/// An allocator of large buffers, which it takes from larger regions of memory. Neighbouring free
/// buffers are joined, so memory that one layer freed can serve another of any size. Training thus
/// holds little more memory than it uses.
///
/// The owner protects it with a lock; hence `@unchecked Sendable`.
struct Arena: @unchecked Sendable {
  private struct Region {
    var start: UnsafeMutableRawPointer
    var size: Int
  }

  private struct Block {
    var start: UnsafeMutableRawPointer
    var size: Int
    /// The number of bytes at the start that were used and not returned to the system.
    var kept: Int
    /// The start of the block's region.
    var region: UnsafeMutableRawPointer

    var end: UnsafeMutableRawPointer { start + size }
  }

  /// The regions, sorted by address.
  private var regions: [Region] = []
  /// The free blocks, sorted by address. Neighbouring free blocks of one region are always joined.
  private var free: [Block] = []

  /// The total size of the buffers in use, in bytes.
  private(set) var usedBytes = 0
  /// The bytes of free blocks for which the system still provides memory.
  private(set) var keptBytes = 0

  /// The page size in bytes. Buffers start and end at page boundaries.
  static let page = 4096
  /// The size of large pages. Regions start and end at their boundaries and use such pages if the
  /// system has them, because many small pages take far longer to allocate.
  private static let largePage = 2 << 20
  /// The minimum size of a region, in address space: the system provides memory only when it is
  /// used. The larger a region, the more free neighbours can be joined.
  private static let leastRegion = max(
    64 << 20, min(1 << 30, Int(clamping: ProcessInfo.processInfo.physicalMemory / 16)))

  /// The size of the buffer for a request of `bytes`.
  static func size(for bytes: Int) -> Int { bytes.dividedRoundingUp(by: page) * page }

  /// Allocates uninitialised memory. `size` must come from `size(for:)`.
  mutating func take(_ size: Int) -> UnsafeMutableRawPointer {
    // Find the smallest block that is large enough.
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

  /// Frees a buffer.
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

  /// Returns free memory to the system.
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

  /// Adds a region and returns the index of its free block.
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

  /// The first of `count` sorted positions from which on `isAfter` is true.
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
