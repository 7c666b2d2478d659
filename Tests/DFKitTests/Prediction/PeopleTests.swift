import DFKit
import Foundation
import Synchronization
import TestSupport
import Testing

/// Verdicts per person, and the video's out of them. The fakes tell faces apart by their size: the
/// default crop of a face of side 10 is 13 pixels wide, of side 20, 26.
@Suite struct PeopleTests {
  private func recipe(_ rule: Recipe.People.Rule, perFrame: Int = 8) -> Recipe {
    var recipe = Recipe(name: "t", members: [.init(name: "a", architecture: .efficientNetB0)])
    recipe.frames = 5
    recipe.faces.perFrame = perFrame
    recipe.people.verdict = rule
    return recipe
  }

  private func predict(
    _ recipe: Recipe, _ scorer: any FaceScorer, rule: (any PeopleRule)? = nil, file: URL? = nil,
    faces: @escaping @Sendable (Int) -> [Face]
  ) throws -> VideoReport {
    var predictor = VideoPredictor(
      recipe: recipe, detector: ScriptedDetector { index, _ in faces(index) },
      ensemble: Ensemble([.init("a", scorer)]))
    if let rule { predictor.maker.rule = rule }
    if let file { return try predictor.predict(file) }
    return try StillVideo.with(frames: recipe.frames) { try predictor.predict($0) }
  }

  private static let small = Face.at(2, 4, side: 10, score: 0.9)
  private static let large = Face.at(40, 20, side: 20, score: 0.8)
  /// Small faces are fake at 0.75, large ones at 0.25.
  private static let smallIsFake = RuleScorer { $0.width < 20 ? 0.75 : 0.25 }

  @Test(arguments: [
    (Recipe.People.Rule.highest, Float(0.75)), (.largest, 0.25), (.mean, 0.5), (.together, 0.5),
  ])
  func theRuleMakesTheVerdict(_ rule: Recipe.People.Rule, _ expected: Float) throws {
    let report = try predict(recipe(rule), Self.smallIsFake) { _ in [Self.large, Self.small] }
    #expect(report.verdict == Verdict(probability: expected))
    #expect(report.members == [.init(name: "a", probability: expected)])
    try #require(report.people.map(\.id) == [1, 2] && report.scores.faces.count == 10)
    // From left to right.
    #expect(report.people.map(\.verdict) == [.fake(probability: 0.75), .real(probability: 0.25)])
    #expect(report.people.map(\.framesSeen) == [5, 5])
    #expect(report.people.map(\.framesJudged) == [5, 5])
    for score in report.scores.faces {
      #expect(score.person == (score.box.width < 15 ? 1 : 2))
      #expect(score.scores[0] == (score.person == 1 ? 0.75 : 0.25))
    }
    let times = report.scores.faces.map(\.time)
    #expect(times == times.sorted())
    #expect(report.people[0].firstTime == times.first && report.people[0].lastTime == times.last)
    #expect(report.people[1].fakeSpans.isEmpty)
    #expect(report.people[1].surest.box == Self.large.box)
    #expect(report.people[1].surest.score == 0.8 && report.people[1].surest.time == times[0])
    #expect(
      report.people[0].fakeSpans == [
        .init(from: times[0], to: times[9], peak: times[0], probability: 0.75)
      ])
  }

  @Test func peopleSeenTooRarelyDoNotCount() throws {
    // The small face, which looks fake, is there in two frames.
    @Sendable func faces(_ index: Int) -> [Face] {
      index < 2 ? [Self.large, Self.small] : [Self.large]
    }
    var recipe = recipe(.highest)
    let report = try predict(recipe, Self.smallIsFake, faces: faces)
    #expect(report.verdict == .real(probability: 0.25))
    try #require(report.people.count == 2)
    #expect(report.people[0].verdict == .undecided(.tooFewFaces(found: 2, needed: 3)))
    #expect(report.people[0].members.isEmpty && report.people[0].fakeSpans.isEmpty)
    #expect(report.people[1].verdict == .real(probability: 0.25))
    // Its scores are kept.
    #expect(report.scores.faces.count { $0.person == 1 } == 2)
    recipe.people.minFrames = 2
    let counted = try predict(recipe, Self.smallIsFake, faces: faces)
    #expect(counted.verdict == .fake(probability: 0.75))
  }

  @Test func peopleSeenInAQuarterOfTheMostsFramesCount() throws {
    // The small face, which looks fake, is there in some of 16 frames; the large one is in all.
    func report(_ frames: Int, share: Float = 0.25, _ rule: Recipe.People.Rule = .highest)
      throws -> VideoReport
    {
      var recipe = recipe(rule)
      recipe.frames = 16
      recipe.people.minShare = share
      return try predict(recipe, Self.smallIsFake) { index in
        index < frames ? [Self.large, Self.small] : [Self.large]
      }
    }
    let three = try report(3)
    #expect(three.verdict == .real(probability: 0.25))
    #expect(three.members == [.init(name: "a", probability: 0.25)])
    #expect(three.people.map(\.counts) == [false, true])
    // There is a verdict on the person all the same, and the file's line tells of it.
    #expect(three.people[0].verdict == .fake(probability: 0.75))
    #expect(three.people[0].fakeSpans.count == 1)
    #expect([three].table().contains("person 1 looks fake but is seen in too few frames to count"))
    let four = try report(4)
    #expect(four.verdict == .fake(probability: 0.75))
    #expect(four.people.map(\.counts) == [true, true])
    #expect(![four].table().contains("too few frames"))
    #expect(try report(3, share: 0).verdict == .fake(probability: 0.75))
    #expect(try report(3, .together).people.map(\.counts) == [true, true])
  }

  @Test func whereNobodyIsSeenOftenEnoughThereIsNoVerdict() throws {
    let report = try predict(recipe(.mean), Self.smallIsFake) { index in
      index < 2 ? [Self.small] : index == 2 ? [] : [Self.large]
    }
    #expect(report.facesFound == 4)
    #expect(report.verdict == .undecided(.tooFewFaces(found: 2, needed: 3)))
    #expect(report.people.count == 2)
    #expect(report.members.isEmpty && report.scores.faces.isEmpty)
    // Together they are enough.
    let together = try predict(recipe(.together), Self.smallIsFake) { index in
      index < 2 ? [Self.small] : index == 2 ? [] : [Self.large]
    }
    #expect(together.verdict == .fake(probability: 0.5))
    #expect(together.people.allSatisfy { $0.verdict.probability == nil })
  }

  @Test func oneFaceAFrameLeavesTheOthersOut() throws {
    let report = try predict(recipe(.together, perFrame: 1), Self.smallIsFake) { index in
      [Self.large, Face.at(2, 4, side: 10, score: index < 4 ? 0.9 : 0.1)]
    }
    #expect(report.verdict == .fake(probability: 0.65))
    #expect(report.people.map(\.framesJudged) == [4, 1])
    try #require(report.people.map(\.framesSeen) == [5, 5])
    #expect(report.people[1].verdict == .undecided(.tooFewFaces(found: 1, needed: 3)))
    #expect(report.warnings.isEmpty)
  }

  @Test func facesLeftOutByARuleOverPeopleAreSaid() throws {
    let report = try predict(recipe(.highest, perFrame: 1), Self.smallIsFake) { _ in
      [Self.large, Self.small]
    }
    #expect(
      report.warnings == [
        "there are up to 2 faces in a frame, of which 1 are judged (faces.perFrame)"
      ])
    #expect(report.people.map(\.id) == [1])
  }

  @Test func spansAreRunsOfFakeLookingFaces() throws {
    // Crops are 15, 17, 18, 20, 21 pixels wide, frame by frame.
    let scores: [Int: Float] = [15: 0.5, 17: 0.9, 18: 0.2, 20: 0.4, 21: 0.6]
    let report = try predict(recipe(.highest), RuleScorer { scores[$0.width] ?? .nan }) {
      [.at(2, 4, side: [11.5, 13, 14, 15, 16][$0])]
    }
    let times = report.scores.faces.map(\.time)
    try #require(report.people.count == 1 && times.count == 5)
    #expect(
      report.people[0].fakeSpans == [
        .init(from: times[0], to: times[1], peak: times[1], probability: 0.9),
        .init(from: times[4], to: times[4], peak: times[4], probability: 0.6),
      ])
  }

  /// Notes how many crops of which widths each call brings.
  private final class NotingScorer: FaceScorer {
    let calls = Mutex<[[Int]]>([])

    func scores(_ crops: [Image]) throws -> [Float] {
      calls.withLock { $0.append(crops.map(\.width)) }
      return [Float(crops[0].width) / 100]
    }
  }

  @Test func aScorerSeesOnePersonAtATime() throws {
    let scorer = NotingScorer()
    let report = try predict(recipe(.highest), scorer) { index in
      [Face.at(40, 20, side: 20), .at(2, 4, side: [10, 11.5, 13, 14, 15][index])]
    }
    #expect(scorer.calls.withLock { $0 } == [[13, 15, 17, 18, 20], [26, 26, 26, 26, 26]])
    #expect(report.verdict == .real(probability: 0.26))
    #expect(report.people.map(\.verdict.probability) == [0.13, 0.26])
  }

  @Test func judgedTogetherAScorerSeesAllFaces() throws {
    let scorer = NotingScorer()
    _ = try predict(recipe(.together, perFrame: 1), scorer) { _ in [Self.small] }
    // Who is the only person is not judged twice.
    #expect(scorer.calls.withLock { $0 } == [[13, 13, 13, 13, 13]])
  }

  /// One logit a crop, 0; notes the sizes of batches.
  private final class NotingClassifier: FrameClassifier {
    let input = InputSpec(size: 32)
    let classCount = 1
    let batchSize = 16
    let batches = Mutex<[Int]>([])

    func logits(_ batch: Tensor) -> Tensor {
      batches.withLock { $0.append(batch.shape[0]) }
      return Tensor([Float](repeating: 0, count: batch.shape[0]), shape: [batch.shape[0], 1])
    }
  }

  @Test func aNetworkSeesEveryonesCropsOnce() throws {
    let network = NotingClassifier()
    let report = try predict(recipe(.highest), network) { _ in [Self.small, Self.large] }
    #expect(network.batches.withLock { $0 } == [10])
    #expect(report.verdict == .fake(probability: 0.5))
  }

  @Test func aRuleOfOnesOwnGoesBeforeTheRecipes() throws {
    struct Lowest: PeopleRule {
      func probability(_ people: [JudgedPerson]) -> Float {
        #expect(people.map(\.frames) == [5, 5])
        #expect(people.map(\.faceArea) == [100, 400])
        return people.map(\.probability).min() ?? .nan
      }
    }
    let report = try predict(recipe(.together), Self.smallIsFake, rule: Lowest()) { _ in
      [Self.small, Self.large]
    }
    #expect(report.verdict == .real(probability: 0.25))
  }

  @Test func theFacesOfAnImageAreItsPeople() throws {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("group.png")
      try ImageFile.write(.plain(90, 60), to: file)
      let report = try predict(recipe(.highest), Self.smallIsFake, file: file) { _ in
        [Self.large, .at(70, 4, side: 10), Self.small]
      }
      #expect(report.people.map(\.id) == [1, 2, 3])
      #expect(report.people.map(\.verdict.probability) == [0.75, 0.25, 0.75])
      #expect(report.verdict == .fake(probability: 0.75))
      #expect(report.people.allSatisfy { $0.firstTime == 0 && $0.lastTime == 0 })
    }
  }
}

@Suite struct CropStoreTests {
  @Test func cropsStayAsTheyAreWithinTheBudget() {
    var store = CropStore(budget: 3 * 200 * 200 * 3)
    let crops = [Image.plain(200, 200, grey: 1), .plain(150, 200, grey: 2), .plain(10, 20)]
    for crop in crops { store.add(crop) }
    #expect(store.crops == crops)
  }

  @Test func beyondItTheLargestShrink() {
    var store = CropStore(budget: 3 * 200 * 200 * 3)
    store.add(.plain(2000, 1000, grey: 7))
    #expect(store.crops.map(\.width) == [256] && store.crops.map(\.height) == [128])
    #expect(store.crops[0][100, 100] == (7, 7, 7))
    for _ in 0..<500 { store.add(.plain(100, 300)) }
    #expect(store.crops.count == 501)
    // There is a smallest size, whatever the budget.
    #expect(store.crops.allSatisfy { max($0.width, $0.height) == 64 })
    store.add(.plain(30, 20))
    #expect(store.crops.last?.width == 30)
  }
}
