import FaceData

extension PseudoLabelJob.Result {
  /// The numbers of each source as a table, then what was kept by which rule, and the teacher.
  package var text: String {
    var table = TextTable([
      .init("source"), .init("judged", .right), .init("sure real", .right),
      .init("sure fake", .right), .init("kept real", .right), .init("kept fake", .right),
    ])
    func add(_ name: String, _ source: Source) {
      table.add([name, "\(source.judged)"] + (source.sure + source.kept).map { "\($0)" })
    }
    for source in sources { add(source.name ?? "-", source) }
    if sources.count > 1 { add("all", all) }
    var lines = [table.text]
    lines.append("kept: \(rules.joined(separator: ", "))")
    let name = TextTable.printable(teacher.name)
    lines.append("teacher: \(name), SHA-256 \(teacher.sha256.prefix(16))")
    if isCalibrated == false {
      lines.append("its probabilities are not calibrated, so it may be too sure or never sure")
    }
    if leftOut > 0 {
      lines.append("\(leftOut) samples of the parts validation, test and unused were not judged")
    }
    if !failures.isEmpty {
      lines.append("\(failures.count) pictures cannot be judged:")
      lines += failures.prefix(10).map { TextTable.printable("  \($0.file): \($0.error)") }
      if failures.count > 10 { lines.append("  and \(failures.count - 10) more") }
    }
    if let cacheProblem { lines.append(TextTable.printable(cacheProblem)) }
    let file = TextTable.printable(output.relativePath)
    lines.append("wrote \(file); train a student with --data LABELLED --data \(file)")
    return lines.joined(separator: "\n")
  }

  private var rules: [String] {
    [
      "probability at most \((1 - rule.sure).fixed(3)) or at least \(rule.sure.fixed(3))",
      rule.perVideo.map { "at most \($0) of a video and label" },
      rule.isBalanced ? "as many fakes as reals" : nil,
    ].compactMap { $0 }
  }

  /// The result as JSON (see `Docs/Formats.md`).
  package var json: JSON {
    [
      "teacher": ["name": .string(teacher.name), "sha256": .string(teacher.sha256)],
      "calibrated": isCalibrated.map { .bool($0) } ?? .null, "sure": .number(rule.sure),
      "balanced": .bool(rule.isBalanced), "perVideo": .integer(rule.perVideo),
      "judged": .integer(all.judged), "kept": .integer(all.kept[0] + all.kept[1]),
      "sources": .array(
        sources.map { source in
          [
            "source": .string(source.name), "judged": .integer(source.judged),
            "sureReal": .integer(source.sure[0]), "sureFake": .integer(source.sure[1]),
            "keptReal": .integer(source.kept[0]), "keptFake": .integer(source.kept[1]),
          ]
        }),
      "leftOut": .integer(leftOut),
      "failures": .array(
        failures.map { ["file": .string($0.file), "error": .string($0.error)] }),
      "output": .string(output.relativePath),
    ]
  }

  /// The outcome that decides the command's exit code.
  package var outcome: JobOutcome { JobOutcome(failures: failures.count) }
}
