import ArgumentParser
import DFKit
import Foundation

/// Writes to standard output and standard error.
enum Output {
  /// Writes text for the user to standard output, with a line feed at its end. On a terminal, long
  /// lines are wrapped.
  ///
  /// - Throws: `OutputError` if standard output cannot be written.
  static func show(_ text: String) throws {
    let width = TextTable.terminalWidth
    try write((width.map { TextTable.folded(lines: text, width: $0) } ?? text) + "\n")
  }

  /// Writes to standard output without buffering. Bytes in file names that are not UTF-8 are
  /// written as U+FFFD.
  ///
  /// - Throws: `OutputError` if standard output cannot be written.
  static func write(_ text: String) throws {
    let bytes = Array(FilePath.shown(text).utf8)
    guard bytes.withUnsafeBytes({ OutputFiles.write($0, to: STDOUT_FILENO) }) else {
      throw OutputError(reason: String(cString: strerror(errno)))
    }
  }

  /// Writes a file. An existing file is replaced only once the new one is complete.
  ///
  /// - Throws: `MediaError.unwritable` if the file cannot be written.
  static func write(_ text: String, to path: String) throws {
    try OutputFiles.write(
      text.utf8, to: URL(fileURLWithPath: path), failure: MediaError.unwritable)
  }

  /// Writes an error about a file to standard error. With `inTable`, nothing is written if the same
  /// terminal will show the table that contains the error.
  static func note(_ error: String, inTable: Bool) {
    let isSeen =
      inTable && Terminal.width(STDOUT_FILENO) != nil && Terminal.width(STDERR_FILENO) != nil
    if !isSeen { note(error) }
  }

  /// Reports choices that a weights file leaves open on standard error: which of several states is
  /// used, and which of several schemes with the same keys.
  static func remark(
    on weights: WeightsSource, _ options: ClassifierOptions = ClassifierOptions()
  ) {
    for remark in weights.remarks(options) { note(remark) }
  }

  /// Writes a line that begins with "dfkit: " to standard error.
  static func note(_ text: String) {
    let line = "dfkit: \(TextTable.printable(text))\n"
    try? FileHandle.standardError.write(contentsOf: Data(line.utf8))
  }
}

/// Standard output cannot be written, such as when a pipe was closed.
struct OutputError: Error, CustomStringConvertible {
  let reason: String

  var description: String { "standard output cannot be written: \(reason)" }
}

/// Properties of the terminal.
enum Terminal {
  /// Number of columns of the terminal at a file descriptor; nil if it is no terminal. The
  /// environment variable COLUMNS overrides it. 80 if it is unknown.
  static func width(_ descriptor: Int32) -> Int? {
    guard isatty(descriptor) == 1 else { return nil }
    if let given = ProcessInfo.processInfo.environment["COLUMNS"].flatMap({ Int($0) }), given > 0 {
      return given
    }
    var size = winsize()
    let known = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return known ? Int(size.ws_col) : 80
  }
}

/// Prints a JSON array entry by entry, so finished entries are printed even if the rest fails.
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
  /// Ends the command with the exit status of the outcome: 130 if interrupted, 1 if an input
  /// failed.
  func exit() throws {
    if wasCancelled { throw Interruption.exitCode }
    if failures > 0 { throw ExitCode.failure }
  }
}
