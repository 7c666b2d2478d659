import DFKit
import Foundation

/// Shows the progress of a training: a line for each epoch, and a progress bar on a terminal or a
/// line every minute elsewhere. With `json`, prints each event as a JSON object on a line.
final class TrainingPrinter {
  private let json: Bool
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private var lastDraw: ContinuousClock.Instant?
  private var isBarVisible = false

  init(json: Bool) {
    self.json = json
  }

  /// Prints the plan of the training, unless the output is JSON.
  func show(_ plan: String) throws {
    if !json { try Output.show(plan) }
  }

  func show(_ event: TrainingEvent) throws {
    if json {
      return try Output.write(event.json.line + "\n")
    }
    switch event {
    case .begins(let outline): try write(TrainingLines.text(outline))
    case .step(let progress):
      draw(TrainingLines.bar(progress, width: Terminal.width(STDERR_FILENO) ?? 200))
    case .preparing(let done, let total): draw("features of \(done) of \(total) pictures")
    case .validating(let done, let total): draw("validating \(done) of \(total)")
    case .epoch(let row): try write(TrainingLines.text(row))
    case .checkpoint: break
    case .note(let text):
      clear()
      Output.note(text)
    case .ends(let result): try write(TrainingLines.text(result))
    }
  }

  /// Removes the progress bar.
  func clear() {
    guard isBarVisible else { return }
    try? FileHandle.standardError.write(contentsOf: Data("\r\u{1B}[K".utf8))
    isBarVisible = false
  }

  private func write(_ line: String) throws {
    clear()
    try Output.show(line)
  }

  private func draw(_ line: String) {
    let now = ContinuousClock.now
    let pause: Duration = isTerminal ? .milliseconds(100) : .seconds(60)
    if let lastDraw, now - lastDraw < pause { return }
    // Without a terminal, nothing is printed in the first minute.
    defer { lastDraw = now }
    if !isTerminal, lastDraw == nil { return }
    let text = isTerminal ? "\r\u{1B}[K\(line)" : line + "\n"
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    isBarVisible = isTerminal
  }
}
