import ArgumentParser
import DFKit
import Dispatch
import Foundation

/// Handles Ctrl-C and SIGTERM. The first signal cancels the work, which finishes its current step.
/// The second one ends the program at once.
enum Interruption {
  /// The exit status after an interruption, as in shells.
  static let exitCode = ExitCode(130)

  /// Runs `body` in a task that the signals cancel. Throws `exitCode` if it was cancelled.
  static func handled(_ body: @escaping @Sendable () throws -> Void) async throws {
    let work = Task { try body() }
    let sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(
        signal: number, queue: DispatchQueue.global(qos: .userInitiated))
      source.setEventHandler {
        // `_exit` skips all cleanup, since other threads still use what would be cleaned up.
        if work.isCancelled { _exit(exitCode.rawValue) }
        work.cancel()
        if isatty(STDERR_FILENO) == 1 {
          let text =
            "\r\u{1B}[Kdfkit: stopping; finished work is kept (Ctrl-C again to quit at once)\n"
          try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
        }
      }
      source.activate()
      return source
    }
    defer { for source in sources { source.cancel() } }
    do {
      try await work.value
    } catch is CancellationError {
      throw exitCode
    }
  }
}
