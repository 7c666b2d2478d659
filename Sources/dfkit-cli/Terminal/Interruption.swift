import ArgumentParser
import DFKit
import Dispatch
import Foundation

/// Ctrl-C and SIGTERM: the first asks the work to stop after what is in hand, the second ends at
/// once.
enum Interruption {
  /// The exit status after an interruption, as shells have it.
  static let exitCode = ExitCode(130)

  /// Runs `body` in a task that the signals cancel.
  static func handled(_ body: @escaping @Sendable () throws -> Void) async throws {
    let work = Task { try body() }
    let sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(
        signal: number, queue: DispatchQueue.global(qos: .userInitiated))
      source.setEventHandler {
        // Nothing is cleaned up: other threads are at work with what would be.
        if work.isCancelled { _exit(exitCode.rawValue) }
        work.cancel()
        if isatty(STDERR_FILENO) == 1 {
          let text = "\r\u{1B}[Kdfkit: stopping; what is done is kept (again to quit at once)\n"
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
