import DFKit
import Foundation
import TestSupport
import Testing

/// Verdicts on faces that are unlike those that a network learned from.
@Suite struct UnfamiliarVerdictTests {
  /// A scorer of probability 0.9 to which faces of some width are familiar, or none: `limits` by
  /// width.
  private struct Knowing: FamiliarityScorer {
    var logit: Float = 2.2
    var familiarity: Familiarity?

    init(smallest: Float, logit: Float = 2.2) {
      self.logit = logit
      var known = Familiarity(
        projection: [1, 0], center: [0, 0], means: [[0], [0]], residual: 1)
      known.limits[.size] = smallest
      familiarity = known
    }

    var input: InputSpec { InputSpec(size: 32) }
    var classCount: Int { 1 }
    var batchSize: Int { 4 }
    func logits(_ batch: Tensor) -> Tensor { Tensor(repeating: logit, shape: [batch.shape[0], 1]) }
    func logitsAndFeatures(_ batch: Tensor) -> (logits: Tensor, features: Tensor) {
      (logits(batch), Tensor(zeros: [batch.shape[0], 2]))
    }
  }

  private func recipe(
    _ rule: Recipe.People.Rule, _ unfamiliar: Recipe.Decision.Unfamiliar = .refuse
  ) -> Recipe {
    var recipe = Recipe(name: "t", members: [.init(name: "a", architecture: .efficientNetB0)])
    recipe.frames = 5
    recipe.people.verdict = rule
    recipe.verdict.unfamiliar = unfamiliar
    return recipe
  }

  private func report(
    _ recipe: Recipe, _ scorers: [any FaceScorer], _ faces: @escaping @Sendable (Int) -> [Face]
  ) throws -> VideoReport {
    let predictor = VideoPredictor(
      recipe: recipe, detector: ScriptedDetector { index, _ in faces(index) },
      ensemble: Ensemble(scorers.enumerated().map { .init("m\($0.offset)", $0.element) }))
    return try StillVideo.with(frames: recipe.frames) { try predictor.predict($0) }
  }

  // Crops of 13 and of 26 pixels.
  private static let small = Face.at(2, 4, side: 10)
  private static let large = Face.at(40, 20, side: 20)

  @Test(arguments: [Recipe.People.Rule.together, .highest, .mean])
  func mostlyUnfamiliarFacesAreUndecided(_ rule: Recipe.People.Rule) throws {
    let scorers = [Knowing(smallest: 20)]
    let refused = try report(recipe(rule), scorers) { _ in [Self.small] }
    guard case .undecided(.unfamiliar(let probability, let traits)) = refused.verdict else {
      Issue.record("\(refused.verdict)")
      return
    }
    #expect(traits == [.size] && abs(probability - 0.9) < 0.01)
    #expect(refused.verdict.probability == probability && refused.people.count == 1)
    #expect(refused.people[0].verdict == refused.verdict)
    let familiarity = try #require(refused.people[0].familiarity)
    #expect(familiarity.share == 1 && familiarity.isUnfamiliar)
    #expect(familiarity.members.map(\.name) == ["m0"])
    #expect(familiarity.members[0].measures[.size] == 13)
    #expect(familiarity.members[0].limits[.size] == 20)
    let words = "unlike the training data (small face)"
    #expect([refused].table().contains(words))
    #expect([refused].submission.contains(",\(probability)\n"))
    let json = refused.json.text
    for text in [
      "\"reason\": \"unfamiliar\"", "\"unfamiliar\": true", "\"traits\": [\"size\"]",
      "\"limits\": {\"size\": 20}",
    ] { #expect(json.contains(text), "\(text)") }

    let noted = try report(recipe(rule, .note), scorers) { _ in [Self.small] }
    #expect(noted.verdict == .fake(probability: probability))
    #expect([noted].table().contains(words) && noted.people[0].familiarity == familiarity)
    let ignored = try report(recipe(rule, .ignore), scorers) { _ in [Self.small] }
    #expect(ignored.verdict == .fake(probability: probability))
    #expect(![ignored].table().contains("unlike") && ignored.people[0].familiarity == nil)
    #expect(!ignored.json.text.contains("familiar"))
    // What was measured stays, so that verdicts can be made again by another rule.
    var again = ignored
    let maker = VerdictMaker(
      recipe(rule), ScoreCombination(), rule: nil)
    maker.decide(&again)
    #expect(again.verdict.answer == .undecided)
  }

  @Test func familiarFacesAreAnswered() throws {
    let found = try report(recipe(.highest), [Knowing(smallest: 20)]) { _ in [Self.large] }
    #expect(found.verdict.answer == .fake)
    let familiarity = try #require(found.people[0].familiarity)
    #expect(!familiarity.isUnfamiliar && familiarity.share == 0 && familiarity.traits.isEmpty)
    // Weights that say nothing of it leave all as it was.
    let plain = try report(recipe(.highest), [RuleScorer { _ in 0.9 }]) { _ in [Self.small] }
    #expect(plain.verdict == .fake(probability: 0.9) && plain.people[0].familiarity == nil)
  }

  @Test func halfOfTheFacesIsNotMost() throws {
    // Two frames of five, then three.
    for (count, isRefused) in [(2, false), (3, true)] {
      let found = try report(recipe(.together), [Knowing(smallest: 20)]) { index in
        [index < count ? Self.small : Self.large]
      }
      #expect((found.verdict.reason?.name == "unfamiliar") == isRefused, "\(count)")
      #expect(found.familiarity?.share == Float(count) / 5)
    }
  }

  @Test func membersVote() throws {
    let (strict, lax) = (Knowing(smallest: 20), Knowing(smallest: 5))
    func verdict(_ scorers: [any FaceScorer]) throws -> String? {
      try report(recipe(.highest), scorers) { _ in [Self.small] }.verdict.reason?.name
    }
    #expect(try verdict([strict, lax]) == nil)
    #expect(try verdict([strict, lax, strict]) == "unfamiliar")
    // Who says nothing has no vote.
    #expect(try verdict([strict, RuleScorer { _ in 0.9 }]) == "unfamiliar")
  }

  @Test func onePersonWhoIsKnownAndFakeSuffices() throws {
    let both = { @Sendable (_: Int) -> [Face] in [Self.small, Self.large] }
    let fake = try report(recipe(.highest), [Knowing(smallest: 20)], both)
    #expect(fake.verdict.answer == .fake)
    #expect(fake.people.map { $0.familiarity?.isUnfamiliar } == [true, false])
    // Known people look real: with half of the faces unknown the rest decides, with all nobody
    // does.
    let real = try report(recipe(.highest), [Knowing(smallest: 20, logit: -2)], both)
    #expect(real.verdict.answer == .real)
    let none = try report(recipe(.highest), [Knowing(smallest: 40, logit: -2)], both)
    #expect(none.verdict.reason?.name == "unfamiliar")
    // The largest person decides, and is known.
    let largest = try report(recipe(.largest), [Knowing(smallest: 20)], both)
    #expect(largest.verdict.answer == .fake)
  }

  @Test func unfamiliarComesBeforeTooClose() throws {
    var recipe = recipe(.together)
    recipe.verdict.undecided = 0.05...0.95
    let found = try report(recipe, [Knowing(smallest: 20)]) { _ in [Self.small] }
    #expect(found.verdict.reason?.name == "unfamiliar")
    let close = try report(recipe, [Knowing(smallest: 5)]) { _ in [Self.small] }
    #expect(close.verdict.reason?.name == "unsure")
  }

  /// A network with weights, on the sample video.
  @Test func aNetworkRefusesTheSampleVideo() throws {
    var settings = ClassifierSettings(.efficientNetB0)
    settings.input.size = 32
    settings.stages = 1
    let network = settings.makeNetwork()
    network.store.initialize(seed: 1)
    var state = network.store.stateDict()
    state.metadata = settings.metadata.entries
    var known = Familiarity(
      projection: [Float](repeating: 0.01, count: 1280),
      center: [Float](repeating: 0, count: 1280), means: [[0], [0]], residual: 1)
    known.limits[.chroma] = 180
    known.write(to: &state)
    let model = try ClassifierModel(state)
    for (unfamiliar, isRefused) in [(Recipe.Decision.Unfamiliar.refuse, true), (.ignore, false)] {
      let predictor = VideoPredictor(
        recipe: recipe(.highest, unfamiliar),
        detector: ScriptedDetector { _, _ in [.at(180, 90, side: 120)] },
        ensemble: Ensemble([.init("a", model)]))
      let report = try predictor.predict(
        Paths.package.appendingPathComponent("Examples/sample.mp4"))
      #expect((report.verdict.reason?.name == "unfamiliar") == isRefused)
      #expect((report.verdict.reason?.words.contains("grey picture") == true) == isRefused)
      #expect(report.verdict.probability != nil && report.scores.members.map(\.name) == ["a"])
      let face = try #require(report.scores.faces.first?.measures[0])
      for trait in FamiliarityTrait.allCases { #expect(face[trait] != nil, "\(trait)") }
      // Kept scores lead to the same verdict.
      try Paths.withTemporaryFolder { folder in
        var cache = ScoreCache(folder: folder, settings: "s")
        cache.add(report, key: "k")
        var kept = try #require(
          ScoreCache(folder: folder, settings: "s").report("k", file: report.file))
        #expect(kept.scores == report.scores)
        VerdictMaker(recipe(.highest, unfamiliar), predictor.maker.combination).decide(&kept)
        #expect(kept.verdict == report.verdict)
      }
    }
  }
}
