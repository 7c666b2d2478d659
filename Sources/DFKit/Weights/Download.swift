import DeepfakeCore
import Foundation
import MediaIO

/// Fetches one file from a server into a part file beside its target, from where an earlier try
/// ended.
///
/// What vouches for a file put together from several tries is its SHA-256; without a known one
/// every try starts anew.
struct Download {
  /// Where from.
  var url: URL
  /// Where to; kept when the connection breaks.
  var part: URL
  /// What is known of the file.
  var file: WeightsCatalogue.File
  /// Seconds without a byte after which the server is given up.
  var timeLimit: Double
  /// Tries to go on after a broken connection, as long as each brings something.
  var resumptions = 3

  /// Fetches the file.
  ///
  /// - Parameter progress: called with the bytes that have come, without the entry's name.
  /// - Returns: its SHA-256.
  /// - Throws: `FetchError`, and `CancellationError` in a cancelled task.
  func run(_ progress: (JobProgress) -> Void) throws -> String {
    do {
      return try fetch(resuming: true, progress)
    } catch JoinFailed.mismatch {
      // The old part was of another file, or damaged.
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

  /// Reads until the file is whole, going on after broken connections.
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
  /// How far a file is whose bytes come one after the other.
  ///
  /// - Parameters:
  ///   - total: nil where nobody knows it.
  ///   - before: those of the bytes that came in an earlier run.
  static func bytes(_ count: Int, of total: Int?, before: Int = 0) -> JobProgress {
    guard let total, total > 0 else { return JobProgress(count.byteCount, part: 0) }
    var result = JobProgress(
      "\(count.byteCount) of \(total.byteCount)", part: Double(count) / Double(total))
    result.before = Double(before) / Double(total)
    return result
  }
}
