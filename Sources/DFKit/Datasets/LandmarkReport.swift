extension LandmarkJob.Result {
  /// The counts, and the first ten names each of crops without a face and of unreadable pictures,
  /// as text.
  package var text: String {
    var lines = ["\(found) \(found == 1 ? "crop has" : "crops have") landmarks now"]
    if known > 0 { lines.append("\(known) had landmarks before and were not changed") }
    lines += Self.list(faceless, "without a detected face have none")
    lines += Self.list(
      unreadable.map { "\($0.path): \($0.reason)" }, "cannot be read and have none")
    if wasCancelled {
      lines.append(
        "interrupted: \(waiting) remain; run the same command on the written file to continue")
    }
    return lines.joined(separator: "\n")
  }

  private static func list(_ names: [String], _ what: String) -> [String] {
    guard !names.isEmpty else { return [] }
    let rest = names.count - min(names.count, 10)
    return ["\(names.count) \(what):"]
      + names.prefix(10).map { "  \(TextTable.printable($0))" }
      + (rest > 0 ? ["  and \(rest) more"] : [])
  }

  /// The result as JSON.
  package var json: JSON {
    [
      "detector": .string(detector), "found": .integer(found), "known": .integer(known),
      "waiting": .integer(waiting),
      "withoutFace": .array(faceless.map { .string($0) }),
      "failures": .array(
        unreadable.map { ["file": .string($0.path), "error": .string($0.reason)] }),
      "interrupted": .bool(wasCancelled),
    ]
  }

  /// The outcome that decides the command's exit code.
  package var outcome: JobOutcome {
    JobOutcome(failures: unreadable.count, wasCancelled: wasCancelled)
  }
}
