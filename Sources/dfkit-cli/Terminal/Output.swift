import ArgumentParser
import DFKit
import Foundation

/// Writing to standard output and standard error.
enum Output {
  /// Writes to standard output at once, whole.
  static func write(_ text: String) throws {
    try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
  }

  /// Writes a line to standard error.
  static func complain(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data("dfkit: \(text)\n".utf8))
  }
}

/// A JSON array that is printed entry by entry, so that what is done is there even when the rest is
/// not.
struct JSONArrayPrinter {
  private var isEmpty = true

  init() throws {
    try Output.write("[")
  }

  mutating func print(_ entry: JSON) throws {
    try Output.write((isEmpty ? "\n  " : ",\n  ") + entry.text(indentation: 2))
    isEmpty = false
  }

  func end() throws {
    try Output.write(isEmpty ? "]\n" : "\n]\n")
  }
}

extension JobOutcome {
  /// Ends the command as the outcome asks for: 130 when interrupted, 1 when some input failed.
  func exit() throws {
    if wasCancelled { throw Interruption.exitCode }
    if failures > 0 { throw ExitCode.failure }
  }
}
