import Classifiers
import Training

extension TrainingJob.Plan {
  /// The training and validation data as a table, then facts about the run: the rule of the split,
  /// fakes that are made, weights taken over.
  public var text: String {
    var table = TextTable([
      .init("part"), .init("label"), .init("samples", .right), .init("videos", .right),
      .init("people", .right),
    ])
    func add(_ part: String, _ manifest: FaceManifest) {
      let outline = DataOutline(manifest)
      for (label, counts) in [("real", outline.real), ("fake", outline.fake)] {
        table.add([
          part, label, "\(counts.samples)", "\(counts.videos)",
          counts.people == 0 ? "-" : "\(counts.people)",
        ])
      }
    }
    add("training", training)
    if let validation { add("validation", validation) }
    var lines = [table.text]
    if let rule { lines.append("held out by \(rule.rawValue)") }
    lines += fakeLines + pseudoLabelLines
    if leftOut > 0 { lines.append("\(leftOut) samples are in neither part") }
    if !ignoredColumns.isEmpty {
      lines.append("ignored columns: \(ignoredColumns.joined(separator: ", "))")
    }
    if let transfer {
      lines.append(
        "\(transfer.taken.count) tensors loaded (keys of \(transfer.scheme.rawValue))")
      lines += transfer.summary.map { "  \($0)" }
    }
    return lines.joined(separator: "\n")
  }
}

extension TrainingJob.Plan {
  /// Lines about samples that a teacher labelled; empty if there are none.
  private var pseudoLabelLines: [String] {
    var lines: [String] = []
    let count = training.pseudoLabelledCount
    if count > 0 {
      let teachers = training.teachers.map(TextTable.printable).joined(separator: "; ")
      lines.append(
        "\(count) training samples are pseudo-labelled"
          + (teachers.isEmpty ? "" : "; teacher: \(teachers)"))
    }
    if pseudoLabelledLeftOut > 0 {
      lines.append(
        "\(pseudoLabelledLeftOut) pseudo-labelled samples are not used: they are linked with"
          + " held-out samples, or the column split excludes them")
    }
    return lines
  }

  /// Lines about the fakes made during training; empty if none are made.
  private var fakeLines: [String] {
    guard let fakes = trainer.options.fakes else { return [] }
    let all = training.count(.fake) == 0
    let share = all ? "all" : "\((100 * Double(fakes.share)).fixed(0)) % of the"
    let makeable = training.withMadeFakes().count - training.count
    var lines = [
      "fakes: \(share) fakes in training are made (\(fakes.kind.rawValue)) from the"
        + " \(makeable) of \(training.count(.real)) real samples that have landmarks"
    ]
    guard let validation else { return lines }
    let twins = fakes.judged(validation).count - validation.count
    lines.append(
      twins > 0
        ? "validation uses \(twins) made fakes, the same in every epoch"
          + (validation.count(.fake) == 0 ? ", because it has no others" : "")
        : "validation uses its own fakes, no made ones")
    return lines
  }
}

/// Lines about a training run for the terminal.
package enum TrainingLines {
  /// The number of parameters, steps and epochs of a run that begins.
  package static func text(_ outline: RunOutline) -> String {
    var line =
      "\(outline.learnable) parameters are trained"
      + (outline.frozen > 0 ? ", \(outline.frozen) are frozen" : "")
      + "; \(outline.stepsPerEpoch) steps per epoch, up to \(outline.epochs) epochs"
    if outline.stepsBefore > 0 { line += "; continues after step \(outline.stepsBefore)" }
    return line
  }

  /// The metrics of an epoch, on one line.
  package static func text(_ row: EpochMetrics) -> String {
    var line = "epoch \(row.epoch)"
    if row.part == .validation { line += " (validation part)" }
    line += "  loss \(row.loss.fixed(4))"
    for part in row.parts ?? [] { line += "  \(part.name) \(part.mean.fixed(4))" }
    if let frames = row.frames { line += "  frames \(text(frames))" }
    if let videos = row.videos { line += "  videos \(text(videos))" }
    line += "  rate \(row.learningRate)  \(Double(row.seconds).clock())"
    if row.isBest, row.frames != nil { line += "  best" }
    return line
  }

  private static func text(_ scores: EpochMetrics.Scores) -> String {
    let area = scores.auc.map { " AUC \($0.fixed(4))" } ?? ""
    return "log loss \(scores.logLoss.fixed(4))\(area)"
  }

  /// Why the run ended, its best epoch and the file of its weights.
  package static func text(_ result: TrainingResult) -> String {
    let word =
      result.reason == .earlyStop
      ? "stopped early: the validation loss no longer decreased" : "done"
    guard let best = result.epochs.last(where: \.isBest), let frames = best.frames else {
      return "\(word); weights: \(result.best.relativePath)"
    }
    return "\(word); best epoch \(best.epoch), log loss \(frames.logLoss.fixed(4)); weights:"
      + " \(result.best.relativePath)"
  }

  /// A progress bar shorter than `width` columns.
  package static func bar(_ progress: StepProgress, width: Int) -> String {
    let part = min(1, Double(progress.images) / Double(max(1, progress.imagesPerEpoch)))
    let barWidth = max(10, min(24, width / 5))
    let filled = Int(part * Double(barWidth))
    let bar =
      String(repeating: "#", count: filled) + String(repeating: ".", count: barWidth - filled)
    let line =
      "\(progress.epoch)/\(progress.epochs) [\(bar)] \(Int(part * 100)) %"
      + "  loss \(progress.meanLoss.fixed(4))  rate \(progress.learningRate)"
      + "  \(progress.imagesPerSecond.fixed(1)) images/s"
      + "  \(ProgressLine.clock(progress.secondsLeftInEpoch)) left,"
      + " run \(ProgressLine.clock(progress.secondsLeft))"
    return line.count < width ? line : String(line.prefix(max(0, width - 1)))
  }
}

extension TrainingEvent {
  /// The event as an object for `dfkit train --json`.
  package var json: JSON {
    switch self {
    case .begins(let outline):
      return [
        "event": .string("begins"), "trainingSamples": .integer(outline.trainingSamples),
        "validationSamples": .integer(outline.validationSamples),
        "stepsPerEpoch": .integer(outline.stepsPerEpoch), "epochs": .integer(outline.epochs),
        "parameters": .integer(outline.learnable), "frozen": .integer(outline.frozen),
        "stepsBefore": .integer(outline.stepsBefore),
      ]
    case .step(let progress):
      return [
        "event": .string("step"), "epoch": .integer(progress.epoch),
        "step": .integer(progress.step),
        "images": .integer(progress.images), "loss": .double(progress.loss),
        "gradientNorm": .number(progress.gradientNorm),
        "learningRate": .number(progress.learningRate),
        "imagesPerSecond": .double(progress.imagesPerSecond),
        "secondsLeft": .double(progress.secondsLeft),
      ]
    case .preparing(let done, let total):
      return [
        "event": .string("preparing"), "done": .integer(done), "total": .integer(total),
      ]
    case .validating(let done, let total):
      return [
        "event": .string("validating"), "done": .integer(done), "total": .integer(total),
      ]
    case .epoch(let row):
      return [
        "event": .string("epoch"), "epoch": .integer(row.epoch), "part": .string(row.part.rawValue),
        "steps": .integer(row.steps), "seconds": .double(row.seconds),
        "images": .integer(row.images), "learningRate": .number(row.learningRate),
        "loss": .double(row.loss), "frames": Self.json(row.frames),
        "videos": Self.json(row.videos), "best": .bool(row.isBest),
        "lossParts": row.parts.map(Self.json) ?? .null,
      ]
    case .checkpoint(let step):
      return ["event": .string("checkpoint"), "step": .integer(step)]
    case .note(let text): return ["event": .string("note"), "text": .string(text)]
    case .ends(let result):
      return [
        "event": .string("ends"), "reason": .string(result.reason.rawValue),
        "epochs": .integer(result.epochs.count), "weights": .string(result.best.relativePath),
      ]
    }
  }

  private static func json(_ parts: [EpochMetrics.LossPart]) -> JSON {
    .array(parts.map { ["name": .string($0.name), "mean": .double($0.mean)] })
  }

  private static func json(_ scores: EpochMetrics.Scores?) -> JSON {
    guard let scores else { return .null }
    return [
      "logLoss": .double(scores.logLoss), "accuracy": .double(scores.accuracy),
      "auc": scores.auc.map { .double($0) } ?? .null,
      "equalErrorRate": scores.equalErrorRate.map { .double($0) } ?? .null,
    ]
  }
}
