import DFKit
import Foundation

/// A progress line on standard error. Nothing is shown if standard error is not a terminal.
final class ProgressBar {
  private let isShown: Bool
  private let start = ContinuousClock.now
  private var lastDraw: ContinuousClock.Instant?
  private var isVisible = false

  init(isShown: Bool = isatty(STDERR_FILENO) == 1) {
    self.isShown = isShown
  }

  /// Shows the progress, at most ten times a second.
  func update(_ progress: JobProgress) {
    guard isShown else { return }
    let now = ContinuousClock.now
    if let lastDraw, now - lastDraw < .milliseconds(100) { return }
    lastDraw = now
    draw(
      ProgressLine.text(
        progress, elapsed: (now - start) / .seconds(1),
        width: Terminal.width(STDERR_FILENO) ?? 80))
  }

  /// Removes the line, so that other text can be written.
  func clear() {
    guard isVisible else { return }
    draw("")
    isVisible = false
    // The next update is drawn without delay.
    lastDraw = nil
  }

  private func draw(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data("\r\u{1B}[K\(text)".utf8))
    isVisible = true
  }
}
