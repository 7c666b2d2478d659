import DFKit
import Foundation
import TestSupport
import Testing

/// Calibration over several sources, and of a recipe with two members.
@Suite("Calibration: sources and recipes") struct SourceCalibrationTests {
  /// A face of a video of its own. Logits are `scale` times those that would be honest.
  private func face(
    _ name: String, _ source: String?, _ label: FaceLabel, scale: Float, person: String? = nil,
    _ generator: inout SeededGenerator
  ) -> ScoredFace {
    let noise = (0..<3).reduce(Float(0)) { sum, _ in
      sum + Float.random(in: -1.5...1.5, using: &generator)
    }
    let logit = scale * ((label == .fake ? 1.2 : -1.2) + noise)
    return ScoredFace(
      path: name, label: label, video: name, group: person ?? name, source: source, logits: [logit])
  }

  private func faces(_ count: Int, _ source: String, scale: Float, seed: UInt64) -> [ScoredFace] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { index in
      face(
        "\(source)\(index)", source, index % 2 == 0 ? .real : .fake, scale: scale,
        person: "\(source)-p\(index / 2)", &generator)
    }
  }

  private func job() throws -> CalibrationJob {
    let weights = try #require(ShippedWeights.named("default"))
    var job = CalibrationJob(weights: .shipped(weights), samples: SampleChoice([]))
    job.bootstrap = GroupBootstrap(draws: 50)
    return job
  }

  /// A small source counts as much as a large one: more of the same videos in it change nothing.
  @Test func sourcesCountEqually() throws {
    let (large, small) = (faces(200, "l", scale: 1, seed: 1), faces(40, "s", scale: 3, seed: 2))
    let report = try CalibrationReport(large + small, job(), before: nil)
    let more =
      small
      + (0..<4).flatMap { copy in
        small.map { face in
          var face = face
          face.video += "copy \(copy)"
          return face
        }
      }
    let again = try CalibrationReport(large + more, job(), before: nil)
    #expect(abs(report.calibration.scale - again.calibration.scale) < 1e-6)
    #expect(abs(report.calibration.offset - again.calibration.offset) < 1e-6)
    #expect(report.groups == 120 && again.groups == 120)
    // Equal to a fit with weights that were worked out by hand.
    func samples(_ faces: [ScoredFace]) -> [CalibrationFit.Sample] {
      faces.map { .init(Double($0.logits[0]), $0.label, weight: 1 / Double(faces.count)) }
    }
    let fit = try CalibrationFit().calibration(of: samples(large) + samples(small))
    #expect(abs(fit.scale - report.calibration.scale) < 1e-6)
  }

  @Test func everySourceIsMeasuredAndTheWorstIsNamed() throws {
    var generator = SeededGenerator(seed: 9)
    let reals = (0..<30).map { face("r\($0)", "photos", .real, scale: 1, &generator) }
    let all = faces(120, "good", scale: 1, seed: 3) + faces(120, "bad", scale: 2, seed: 4) + reals
    let report = try CalibrationReport(all, job(), before: nil)
    #expect(report.sources.map(\.name) == ["good", "bad", "photos"])
    #expect(report.sources.map(\.videos.real) == [60, 60, 30])
    #expect(report.sources[2].videos.after[.auc].value.isNaN && !report.sources[2].hasBoth)
    let worst = try #require(report.worstCalibrated)
    let others = try #require(report.sources.first { $0.hasBoth && $0.name != worst.name })
    let errors = [worst, others].compactMap { $0.videos.crossFitted?[.calibrationError].value }
    #expect(errors.count == 2 && errors[0] >= errors[1])
    // A source's figures are those of its videos alone.
    let own = report.faces.filter { $0.source == "good" }
    let videoCalibration = try #require(report.videoCalibration)
    let judged = own.map { face in
      let frame = report.calibration.probability(logit: face.logits[0])
      let video = videoCalibration.probability(of: frame)
      return Judgement(Double(min(max(video, 0.01), 0.99)), face.label)
    }
    #expect(abs(report.sources[0].videos.after[.brier].value - BinaryMetrics(judged).brier) < 1e-6)
    let band = try #require(report.band)
    for source in report.sources where source.hasBoth {
      let answers = try #require(source.answers)
      #expect(answers.accuracy >= report.accuracy && answers.coverage > 0)
      // On other people it is about that.
      let other = try #require(source.crossFittedAnswers)
      #expect(abs(other.accuracy - answers.accuracy) < 0.2)
    }
    let accuracies = report.sources.filter(\.hasBoth).compactMap { $0.answers?.accuracy }
    #expect(abs(band.accuracy - (accuracies.min() ?? 0)) < 1e-9)
    for text in [
      "1 with only one label together as one source", "good cross-validated", "photos before",
      "on \(worst.name).", "answered, cross-validated",
    ] {
      #expect(report.text.contains(text), "\(text)\n\(report.text)")
    }
  }

  /// A recipe with two members, the second of which is four times too sure.
  private func recipeJob(weight: Float? = nil) throws -> CalibrationJob {
    let shipped = try #require(ShippedWeights.named("default"))
    var recipe = Recipe(
      name: "pair",
      members: ["one", "two"].map { name in
        var member = Recipe.Member(name: name, architecture: .efficientNetLite0)
        member.weights = "default"
        return member
      })
    recipe.members[1].weight = weight
    recipe.aggregation.calibration = LogitCalibration(scale: 5)
    let files = try MemberFiles([], members: recipe.members)
    #expect(files.entries.map(\.weights) == [.shipped(shipped), .shipped(shipped)])
    var job = try CalibrationJob(recipe: recipe, weights: files, samples: SampleChoice([]))
    job.bootstrap = GroupBootstrap(draws: 50)
    return job
  }

  private func pairs() -> [ScoredFace] {
    faces(200, "s", scale: 1, seed: 6).map { face in
      var face = face
      face.logits.append(face.logits[0] * 4)
      return face
    }
  }

  @Test func aRecipeIsCalibratedAsAWhole() throws {
    let report = try CalibrationReport(pairs(), recipeJob(), before: nil)
    #expect(report.isOfRecipe && report.members.map(\.name) == ["one", "two"])
    // Members keep their own; what is fitted is to the mean of both.
    #expect(report.members.allSatisfy { $0.frames == nil && $0.calibration == .identity })
    let samples = pairs().map { face in
      let mean = MeanAggregator().aggregate(face.logits.map { 1 / (1 + exp(-$0)) })
      return CalibrationFit.Sample(LogitCalibration.logOdds(Double(mean)), face.label)
    }
    let expected = try CalibrationFit().calibration(of: samples)
    let found = try #require(report.videoCalibration)
    #expect(abs(found.scale - expected.scale) < 1e-3 && abs(found.offset - expected.offset) < 1e-3)
    // Before, it was the recipe's own calibration.
    #expect(report.videos.before[.logLoss].value > report.videos.after[.logLoss].value)
    #expect(report.text.hasPrefix("recipe    pair\n") && !report.text.contains("faces by"))

    // Where only the first counts, what is fitted is the first's.
    let first = try CalibrationReport(pairs(), recipeJob(weight: 0), before: nil)
    let alone = try CalibrationFit().calibration(
      of: pairs().map { .init(Double($0.logits[0]), $0.label) })
    #expect(abs((first.videoCalibration?.scale ?? 0) - alone.scale) < 1e-3)
  }

  @Test func membersAreFittedWhereAsked() throws {
    var job = try recipeJob()
    job.fitsMembers = true
    let report = try CalibrationReport(pairs(), job, before: nil)
    let scales = report.members.map(\.calibration.scale)
    #expect(abs(scales[0] - 4 * scales[1]) < 1e-4)
    // Both say the same then, so that nothing is left for the recipe to change.
    #expect(abs((report.videoCalibration?.scale ?? 0) - 1) < 1e-3)
    #expect(report.text.contains("faces by two calibrated"))

    try Paths.withTemporaryFolder { folder in
      guard case .recipe(_, let files) = job.subject else { return }
      let model = try ClassifierModel(try files.entries[1].weights.read())
      let before = Double(model.calibration?.scale ?? 1)
      try report.write(files, toFolder: folder.appendingPathComponent("out"))
      let written = try StateDict.read(folder.appendingPathComponent("out/two.safetensors"))
      let after = try #require(try ClassifierModel(written).calibration)
      // Upon what the file had: the scores that were fitted were calibrated by that.
      #expect(abs(after.scale - scales[1] * before) < 1e-9)
    }
  }
}
