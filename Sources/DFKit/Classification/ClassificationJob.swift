import Classifiers
import DeepfakeCore
import Foundation
import MediaIO

/// The networks' scores of one face crop, or why it could not be scored.
package struct ClassificationReport: Sendable {
  /// The outputs of one network.
  package struct Member: Sendable, Equatable {
    package var name: String
    /// The raw outputs, one for each class, or a single one.
    package var logits: [Float]
    /// The probability that the face is fake; nil if the network's classes do not mean real and
    /// fake.
    package var probability: Float?
  }

  package var file: String
  /// The outputs of each network, in order. Empty if the file could not be scored.
  package var members: [Member] = []
  /// The probability that the face is fake. For a single network, its own; for a recipe, the
  /// combined one. Nil if a network's classes do not mean real and fake.
  package var probability: Float?
  /// The recipe's verdict for this probability; nil without a recipe.
  package var verdict: Verdict?
  /// Whether the probability is calibrated; nil if unknown or without a recipe.
  package var isCalibrated: Bool?
  /// Why the file could not be scored; nil if it was.
  package var error: String?

  /// A report without scores. With an error, it says why.
  package init(file: String, error: String? = nil) {
    self.file = file
    self.error = error
  }

  /// The raw outputs of a single network; empty if there are several.
  package var logits: [Float] { members.count == 1 ? members[0].logits : [] }

  /// The report as `dfkit classify --json` prints it (see `Docs/Formats.md`).
  package var json: JSON {
    var keys: [JSON.Member] = [
      .init(key: "file", value: .string(file)), .init(key: "logits", value: .numbers(logits)),
      .init(key: "probability", value: .number(probability)),
    ]
    if let verdict { keys.append(.init(key: "verdict", value: .string(verdict.answer.rawValue))) }
    if let isCalibrated { keys.append(.init(key: "calibrated", value: .bool(isCalibrated))) }
    keys.append(
      .init(
        key: "members",
        value: .array(
          members.map {
            [
              "name": .string($0.name), "logits": .numbers($0.logits),
              "probability": .number($0.probability),
            ]
          })))
    if let error { keys.append(.init(key: "error", value: .string(error))) }
    return .object(keys)
  }
}

/// Scores face crops, each an image file, with one network or with all networks of a recipe.
package struct ClassificationJob: Sendable {
  /// A network and its name.
  package struct Member: Sendable {
    /// The name in reports.
    package var name: String
    package var classifier: any FrameClassifier

    package init(_ name: String, _ classifier: any FrameClassifier) {
      self.name = name
      self.classifier = classifier
    }
  }

  /// The networks; at least one.
  package let members: [Member]
  /// How a recipe combines the networks' probabilities; nil: the first network's own is used.
  package let combination: ScoreCombination?
  /// The range of probabilities that the recipe leaves undecided.
  private let decision: Recipe.Decision

  /// A remark on networks that need more than single pictures; nil if none does.
  package var warning: String? {
    let names = members.filter { $0.classifier.input.difference != nil }.map(\.name)
    guard !names.isEmpty else { return nil }
    return "judged without motion by \(names.joined(separator: ", ")): a picture has no later"
      + " frame, and the difference to it is taken as zero. Judge videos with 'dfkit predict', or"
      + " crops with a manifest's column 'later' with 'dfkit evaluate'"
  }

  /// A job for one network, without a verdict.
  package init(classifier: any FrameClassifier, name: String = "network") {
    members = [Member(name, classifier)]
    combination = nil
    decision = Recipe.Decision()
  }

  /// A job for all networks of a recipe. Their scores are combined, calibrated and clipped as the
  /// recipe does for a person with a single face.
  ///
  /// - Throws: `RecipeError` if the recipe's aggregation is invalid, `WeightsError` and
  ///   `ClassifierError` if a network cannot be used or has more than two classes.
  package init(recipe: Recipe, weights: MemberFiles) throws {
    let combination = try recipe.combination()
    members = try weights.entries.map { entry in
      let model = try entry.weights.read().classifier(entry.member.network)
      guard model.classCount <= 2 else {
        throw ClassifierError.noProbability(classes: model.classCount)
      }
      return Member(entry.member.name, model)
    }
    self.combination = combination
    var recipe = recipe
    recipe.noteCalibration(of: weights)
    decision = recipe.verdict
  }

  /// Scores files in order, in batches, and passes each report to `report`. A file that cannot be
  /// scored gets a report with its error. Stops early in a cancelled task.
  ///
  /// - Throws: Only the errors of `report`.
  package func run(
    _ media: MediaFiles, progress: (JobProgress) -> Void = { _ in },
    report: (ClassificationReport) throws -> Void
  ) rethrows -> JobOutcome {
    var outcome = JobOutcome()
    for error in media.problems {
      outcome.failures += 1
      try report(ClassificationReport(file: error.path, error: error.description))
    }
    let files = media.files
    let step = max(1, members.map(\.classifier.batchSize).min() ?? 1)
    for start in stride(from: 0, to: files.count, by: step) {
      if Task.isCancelled {
        outcome.wasCancelled = true
        break
      }
      let batch = Array(files[start..<min(start + step, files.count)])
      progress(
        JobProgress(done: start, total: files.count, file: batch[0].relativePath, fraction: 0))
      for result in score(batch) {
        if result.error != nil { outcome.failures += 1 }
        try report(result)
      }
    }
    return outcome
  }

  /// Scores face crops, each a picture. A picture that cannot be scored gets a report with its
  /// error.
  func score(_ files: [URL]) -> [ClassificationReport] {
    var reports = files.map { ClassificationReport(file: $0.relativePath) }
    var crops: [Image] = []
    var places: [Int] = []
    for (place, file) in files.enumerated() {
      do {
        crops.append(try ImageFile.read(file))
        places.append(place)
      } catch {
        reports[place].error = error.reason
      }
    }
    guard !crops.isEmpty else { return reports }
    for member in members {
      for (place, logits) in zip(places, member.classifier.logits(of: crops)) {
        reports[place].members.append(
          .init(
            name: member.name, logits: logits, probability: member.classifier.probability(logits)))
      }
    }
    for place in places { decide(&reports[place]) }
    return reports
  }

  /// Combines the networks' outputs into a probability and a verdict. Outputs that are not finite
  /// are an error.
  private func decide(_ report: inout ClassificationReport) {
    if let strange = report.members.first(where: { !$0.logits.allSatisfy(\.isFinite) }) {
      let name = members.count == 1 ? "the network" : strange.name
      report.error =
        "\(report.file): \(name)'s outputs are not finite numbers; its weights may be damaged."
      report.members = []
      return
    }
    let scores = report.members.compactMap(\.probability)
    guard scores.count == members.count else { return }
    let probability = probability(of: scores)
    report.probability = probability
    guard combination != nil else { return }
    report.verdict = Verdict(probability: probability, undecided: decision.undecided)
    report.isCalibrated = decision.isCalibrated
  }

  /// The probability that a face is fake, from that of each network.
  func probability(of scores: [Float]) -> Float {
    let names = members.map(\.name)
    return combination.map { $0([MemberScores]([scores], members: names)).probability } ?? scores[0]
  }
}
