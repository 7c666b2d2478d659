import ArgumentParser
import DFKit
import Foundation

/// Writing to standard output and standard error.
enum Output {
  /// Writes lines for people to standard output. On a terminal, those that are wider go on below.
  ///
  /// - Throws: `OutputError`.
  static func show(_ text: String) throws {
    let width = TextTable.terminalWidth
    try write((width.map { TextTable.folded(lines: text, width: $0) } ?? text) + "\n")
  }

  /// Writes to standard output at once, whole. Bytes of a file's name that are no UTF-8 are written
  /// as U+FFFD.
  ///
  /// - Throws: `OutputError`.
  static func write(_ text: String) throws {
    let bytes = Array(FilePath.shown(text).utf8)
    guard bytes.withUnsafeBytes({ OutputFiles.write($0, to: STDOUT_FILENO) }) else {
      throw OutputError(reason: String(cString: strerror(errno)))
    }
  }

  /// Writes a file, whole or not at all.
  ///
  /// - Throws: `MediaError.unwritable`.
  static func write(_ text: String, to path: String) throws {
    try OutputFiles.write(
      text.utf8, to: URL(fileURLWithPath: path), failure: MediaError.unwritable)
  }

  /// Writes an error about a file to standard error, unless the table on the same terminal is going
  /// to show it.
  static func complain(_ error: String, inTable: Bool) {
    let isSeen =
      inTable && Terminal.width(STDOUT_FILENO) != nil && Terminal.width(STDERR_FILENO) != nil
    if !isSeen { complain(error) }
  }

  /// Says what reading weights decides that their file leaves open.
  static func remark(
    on weights: WeightsSource, _ options: ClassifierOptions = ClassifierOptions()
  ) {
    for remark in weights.remarks(options) { complain(remark) }
  }

  /// Writes a line to standard error.
  static func complain(_ text: String) {
    let line = "dfkit: \(TextTable.printable(text))\n"
    try? FileHandle.standardError.write(contentsOf: Data(line.utf8))
  }
}

/// Why standard output takes nothing more.
struct OutputError: Error, CustomStringConvertible {
  let reason: String

  var description: String { "standard output cannot be written: \(reason)" }
}

/// What is known of the terminal.
enum Terminal {
  /// Columns of the terminal behind a file descriptor, or as many as the environment's COLUMNS
  /// says; nil where it is none.
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
