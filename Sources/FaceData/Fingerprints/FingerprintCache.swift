import CDFKernels
import Classifiers
import Foundation

/// Identifies a picture's file and its state when it was measured.
struct PictureKey: Sendable, Equatable {
  /// A hash of the path.
  var path: UInt64
  /// Size of the file in bytes; -1 if there is no file.
  var size: Int64
  /// Time of the last change, in nanoseconds since 1970.
  var changed: Int64

  /// The key of the file at `path` as it is now.
  init(_ path: String) {
    self.path = Self.hash(path)
    var information = stat()
    guard stat(path, &information) == 0 else {
      (size, changed) = (-1, 0)
      return
    }
    size = Int64(information.st_size)
    #if canImport(Darwin)
      let time = information.st_mtimespec
    #else
      let time = information.st_mtim
    #endif
    changed = Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }

  static func hash(_ path: String) -> UInt64 {
    var path = path
    return path.withUTF8 { df_u8_hash($0.count, $0.baseAddress, 0) }
  }
}

/// A file of fingerprints. Its header names the format and the embedder. Blocks of records follow,
/// each with a checksum. Blocks are only appended, so a killed process loses at most the block that
/// it was writing. In a damaged file, the blocks before the damage are used and the rest is cut
/// off.
struct FingerprintCache {
  /// Why the file cannot be used; nil if it can.
  private(set) var problem: String?

  private static let headerCount = 32
  /// Size of a block's header: magic number (4 bytes), number of records (4), checksum (8).
  private static let blockHeaderCount = 16
  private static let blockMagic: UInt32 = 0x4B4C_4246
  /// Maximum size of a block's records, in bytes.
  private static let blockBytes = 2 << 20

  private let file: URL
  private let header: [UInt8]
  private let dimension: Int
  private var handle: FileHandle?
  private var waiting: [UInt8] = []
  private var waitingCount = 0

  private var recordBytes: Int {
    MemoryLayout<PictureKey>.size + MemoryLayout<FingerprintRecord>.size
      + Fingerprint.thumbnailCount + BackgroundRing.count + 11 * PicturePoints.count + dimension
  }

  /// A cache in `file`. Nothing is read until `load`.
  init(_ file: URL, embedder: (any FaceEmbedder)?) {
    self.file = file
    dimension = embedder?.dimension ?? 0
    // Raise the version when the layout or meaning of records changes.
    var header = Array("dfkit fingerprints 1\n".utf8)
    header += Array(repeating: 0, count: Self.headerCount - 8 - header.count)
    let maker = "\(embedder?.name ?? "") \(dimension)"
    header += Self.bytes(PictureKey.hash(maker))
    self.header = header
  }

  private static func bytes<T>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value) { Array($0) }
  }

  /// Reads the fingerprints of a manifest's pictures into `table`, and opens the file for
  /// appending. A failure sets `problem`.
  mutating func load(_ manifest: FaceManifest, into table: inout FingerprintTable) {
    do {
      if !FileManager.default.fileExists(atPath: file.path) {
        try Data(header).write(to: file, options: .atomic)
      }
      let handle = try FileHandle(forUpdating: file)
      self.handle = handle
      guard try handle.read(upToCount: Self.headerCount) == Data(header) else {
        // The file is of another embedder or version. A new one replaces it in one step, since
        // another process may be reading it.
        try handle.close()
        try Data(header).write(to: file, options: .atomic)
        self.handle = try FileHandle(forUpdating: file)
        try self.handle?.seekToEnd()
        return
      }
      let end = try read(handle, manifest, &table)
      // Only unreadable data is cut off.
      if try handle.seekToEnd() > end { try handle.truncate(atOffset: end) }
    } catch {
      fail(error)
    }
  }

  /// Reads blocks up to the first incomplete or damaged one. Returns the offset where that begins.
  private func read(
    _ handle: FileHandle, _ manifest: FaceManifest, _ table: inout FingerprintTable
  ) throws -> UInt64 {
    var places: [UInt64: Int32] = [:]
    places.reserveCapacity(manifest.count)
    for (index, row) in manifest.table.rows.enumerated() {
      places[PictureKey.hash(manifest.table.fullPath(row))] = Int32(clamping: index)
    }
    var end = UInt64(Self.headerCount)
    let most = Self.blockBytes / recordBytes + 1
    while true {
      try Task.checkCancellation()
      guard let head = try handle.read(upToCount: Self.blockHeaderCount),
        head.count == Self.blockHeaderCount
      else { return end }
      let (magic, count, checksum) = head.withUnsafeBytes {
        (
          $0.loadUnaligned(as: UInt32.self),
          Int($0.loadUnaligned(fromByteOffset: 4, as: UInt32.self)),
          $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        )
      }
      guard magic == Self.blockMagic, count > 0, count <= most else { return end }
      guard let body = try handle.read(upToCount: count * recordBytes),
        body.count == count * recordBytes
      else { return end }
      let isWhole = body.withUnsafeBytes { bytes in
        guard Self.checksum(bytes) == checksum else { return false }
        for record in 0..<count {
          take(
            UnsafeRawBufferPointer(
              rebasing: bytes[record * recordBytes..<(record + 1) * recordBytes]),
            manifest, places, &table)
        }
        return true
      }
      guard isWhole else { return end }
      end += UInt64(Self.blockHeaderCount + body.count)
    }
  }

  private static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    df_u8_hash(bytes.count, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), 1)
  }

  /// Uses a record if its picture is in the manifest and has not changed. A later record of a
  /// picture replaces an earlier one.
  private func take(
    _ bytes: UnsafeRawBufferPointer, _ manifest: FaceManifest, _ places: [UInt64: Int32],
    _ table: inout FingerprintTable
  ) {
    let key = bytes.loadUnaligned(as: PictureKey.self)
    guard let place = places[key.path] else { return }
    let index = Int(place)
    guard key == PictureKey(manifest.table.fullPath(manifest.table.rows[index])) else { return }
    var offset = MemoryLayout<PictureKey>.size
    func next(_ count: Int) -> UnsafeRawBufferPointer {
      defer { offset += count }
      return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }
    var record = FingerprintRecord()
    withUnsafeMutableBytes(of: &record) {
      $0.copyMemory(from: next(MemoryLayout<FingerprintRecord>.size))
    }
    var print = Fingerprint(record: record)
    print.thumbnail = Array(next(Fingerprint.thumbnailCount))
    print.ring = Array(next(BackgroundRing.count))
    let codes = next(8 * PicturePoints.count)
    print.points = PicturePoints(
      codes: (0..<PicturePoints.count).map {
        codes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self)
      }, places: Array(next(3 * PicturePoints.count)))
    print.embedding = next(dimension).map { Int8(bitPattern: $0) }
    table.set(index, print)
  }

  /// Adds a fingerprint. It is written once enough records for a block are waiting.
  mutating func add(_ print: Fingerprint, _ key: PictureKey) {
    guard handle != nil, problem == nil, key.size >= 0 else { return }
    withUnsafeBytes(of: key) { waiting += $0 }
    withUnsafeBytes(of: print.record) { waiting += $0 }
    waiting += print.thumbnail
    waiting += print.ring
    print.points.codes.withUnsafeBytes { waiting += $0 }
    waiting += print.points.places
    waiting += print.embedding.map { UInt8(bitPattern: $0) }
    waitingCount += 1
    if waiting.count + recordBytes > Self.blockBytes { flush() }
  }

  /// Writes the waiting records as one block.
  mutating func flush() {
    guard let handle, problem == nil, waitingCount > 0 else { return }
    let checksum = waiting.withUnsafeBytes { Self.checksum($0) }
    let head =
      Self.bytes(Self.blockMagic) + Self.bytes(UInt32(clamping: waitingCount))
      + Self.bytes(checksum)
    do {
      // One write call, so that blocks of two processes that append to one file do not mix.
      try handle.seekToEnd()
      try handle.write(contentsOf: Data(head + waiting))
    } catch {
      fail(error)
    }
    waiting = []
    waitingCount = 0
  }

  private mutating func fail(_ error: any Error) {
    problem = "\(file.relativePath): cannot be used as a cache: \(error.localizedDescription)"
    handle = nil
  }
}
