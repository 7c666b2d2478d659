import DeepfakeCore
import Foundation
import MediaIO

/// Downloads one file into a part file beside its target. An interrupted download is resumed.
///
/// The SHA-256 proves that the parts from several attempts form the right file. If it is not known,
/// every attempt starts from the beginning.
struct Download {
  var url: URL
  /// The part file. It is kept if the connection breaks.
  var part: URL
  /// The file's known size and SHA-256.
  var file: WeightsCatalogue.File
  /// Seconds without data after which the download fails.
  var timeLimit: Double
  /// How often a broken connection is resumed. Each attempt must bring at least one byte.
  var resumptions = 3

  /// Downloads the file and checks its size and hash.
  ///
  /// - Parameter progress: Called with the number of bytes received so far.
  /// - Returns: The SHA-256 of the file.
  /// - Throws: `FetchError` if the download fails or the file is not the published one, and
  ///   `CancellationError` in a cancelled task.
  func run(_ progress: (JobProgress) -> Void) throws -> String {
    do {
      return try fetch(resuming: true, progress)
    } catch JoinFailed.mismatch {
      // The old part was damaged or belonged to another file: start from the beginning.
      return try fetch(resuming: false, progress)
    }
  }

  private enum JoinFailed: Error { case mismatch }

  private func fetch(resuming: Bool, _ progress: (JobProgress) -> Void) throws -> String {
    let part = try PartFile(part)
    if !resuming || file.sha256 == nil || part.count > file.size ?? WeightsFetcher.sizeLimit {
      try part.empty()
    }
    let before = part.count
    if part.count == 0 || part.count != file.size {
      try fill(part, before: before, progress)
    }
    let count = part.count
    let found = try part.finish()
    if let size = file.size, size != count {
      try remove()
      throw FetchError.wrongSize(file: shown, expected: size, found: count)
    }
    if let expected = file.sha256, !found.hasPrefix(expected) {
      try remove()
      if before > 0 { throw JoinFailed.mismatch }
      throw FetchError.wrongHash(file: shown, expected: expected, found: found)
    }
    return found
  }

  /// Downloads until the file is complete, resuming after broken connections.
  private func fill(
    _ part: PartFile, before: Int, _ progress: (JobProgress) -> Void
  ) throws {
    var tries = 0
    var resumes = true
    while true {
      let start = part.count
      do {
        try fillOnce(part, from: resumes ? part.count : 0, before: before, progress)
        return
      } catch let error as RemoteError {
        switch error.kind {
        case .cancelled: throw CancellationError()
        case .cannotResume: resumes = false
        case .connection where file.sha256 != nil && part.count > start && tries < resumptions:
          tries += 1
        case .connection, .refused:
          if part.count == 0 { try remove() }
          throw FetchError.download(
            error.description, kept: file.sha256 == nil ? 0 : part.count)
        }
      }
    }
  }

  private func fillOnce(
    _ part: PartFile, from offset: Int, before: Int, _ progress: (JobProgress) -> Void
  ) throws {
    let remote = try RemoteFile(
      url, from: offset, timeLimit: timeLimit, userAgent: "dfkit/\(dfkitVersion)")
    if let expected = file.size, let size = remote.size, size != expected {
      try remove()
      throw FetchError.wrongSize(file: remote.address, expected: expected, found: size)
    }
    if part.count > offset { try part.empty() }
    let total = file.size ?? remote.size
    let limit = total ?? WeightsFetcher.sizeLimit
    guard limit <= WeightsFetcher.sizeLimit else {
      throw FetchError.tooLarge(file: remote.address, limit: WeightsFetcher.sizeLimit)
    }
    try withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { buffer in
      while true {
        progress(.bytes(part.count, of: total, before: before))
        let read = try remote.read(into: buffer)
        if read == 0 { break }
        guard part.count + read <= limit else {
          try remove()
          throw FetchError.tooLarge(file: remote.address, limit: limit)
        }
        try part.append(UnsafeRawBufferPointer(rebasing: buffer[..<read]))
        if Task.isCancelled { throw CancellationError() }
      }
    }
    if let total, part.count < total {
      throw RemoteError.cutOff(remote.address, at: part.count, of: total)
    }
  }

  private var shown: String { url.lastPathComponent }

  private func remove() throws {
    try FileManager.default.removeItem(at: part)
  }
}

extension JobProgress {
  /// The progress of a transfer, counted in bytes.
  ///
  /// - Parameters:
  ///   - total: The size of the file; nil if unknown.
  ///   - before: How many of the bytes were received in an earlier run.
  static func bytes(_ count: Int, of total: Int?, before: Int = 0) -> JobProgress {
    guard let total, total > 0 else { return JobProgress(count.byteCount, part: 0) }
    var result = JobProgress(
      "\(count.byteCount) of \(total.byteCount)", part: Double(count) / Double(total))
    result.before = Double(before) / Double(total)
    return result
  }
}
