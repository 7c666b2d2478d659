import DFKit
import Foundation
import TestSupport
import Testing

@Suite struct VideoPredictorTests {
  private static let video = Paths.fixture("media/plain.mp4")

  private func recipe(frames: Int = 5, minFrames: Int = 1) -> Recipe {
    var recipe = Recipe(
      name: "test",
      members: [
        .init(name: "a", architecture: .efficientNetB0),
        .init(name: "b", architecture: .efficientNetB0),
      ])
    recipe.frames = frames
    recipe.faces.minFrames = minFrames
    // Rules over people have tests of their own.
    recipe.people.verdict = .together
    return recipe
  }

  private func predictor(
    _ recipe: Recipe, scorer: any FaceScorer = RuleScorer { _ in 0.75 },
    faces: @escaping @Sendable (Int, Image) -> [Face]
  ) -> VideoPredictor {
    VideoPredictor(
      recipe: recipe, detector: ScriptedDetector(faces),
      ensemble: Ensemble([.init("a", scorer), .init("b", ClipScorer())], clip: 0.01...0.99))
  }

  @Test func everyFrameIsScoredByEveryMember() throws {
    let predictor = predictor(recipe()) { index, _ in [.at(Float(index), 2)] }
    let report = try predictor.predict(Self.video)
    #expect(report.verdict == .fake(probability: 0.5))
    #expect(report.frames == 5)
    #expect(report.facesFound == 5)
    #expect(report.members.map(\.name) == ["a", "b"])
    #expect(report.members.map(\.probability) == [0.75, 0.25])
    #expect(report.scores.faces.count == 5)
    let times = report.scores.faces.map(\.time)
    #expect(times == times.sorted())
    #expect(Set(times).count == 5)
    for (index, score) in report.scores.faces.enumerated() {
      #expect(score.box.x1 == Float(index))
      // The member that judges all crops together counts with its one score for each.
      #expect(score.scores == [0.75, 0.25])
    }
    #expect(report.error == nil)
    #expect(report.seconds > 0)
  }

  @Test func theRecipeSaysWhatIsTooCloseToCall() throws {
    var recipe = recipe()
    recipe.verdict.undecided = 0.45...0.55
    let predictor = predictor(recipe) { index, _ in [.at(Float(index), 2)] }
    let report = try predictor.predict(Self.video)
    // 0.75 and 0.25 make one half.
    #expect(report.verdict == .undecided(.unsure(probability: 0.5)))
    #expect(report.scores.faces.count == 5 && report.members.count == 2)
    recipe.aggregation.calibration = LogitCalibration(scale: 1, offset: 3)
    let ensemble = try recipe.ensemble(of: predictor.members)
    #expect(ensemble.calibration == recipe.aggregation.calibration)
    let sure = VideoPredictor(recipe: recipe, detector: predictor.detector, ensemble: ensemble)
    let verdict = try sure.predict(Self.video).verdict
    #expect(verdict.answer == .fake)
    #expect(abs((verdict.probability ?? 0) - 0.95257413) < 1e-5)
    // People's verdicts are made the same way.
    recipe.people.verdict = .highest
    recipe.people.minFrames = 1
    recipe.aggregation.calibration = nil
    let people = try VideoPredictor(
      recipe: recipe, detector: ScriptedDetector { _, _ in [.at(10, 2)] },
      ensemble: Ensemble(predictor.members, clip: 0.01...0.99)
    ).predict(Self.video)
    #expect(!people.people.isEmpty)
    for person in people.people {
      #expect(person.verdict == .undecided(.unsure(probability: 0.5)))
    }
    #expect(people.verdict == .undecided(.unsure(probability: 0.5)))
  }

  @Test func progressRunsFromNothingToAll() throws {
    let predictor = predictor(recipe()) { _, _ in [.at(1, 1)] }
    var seen: [Double] = []
    _ = try predictor.predict(Self.video) { seen.append($0) }
    #expect(seen == seen.sorted())
    #expect(seen.last == 1)
    #expect(seen.count > 5)
  }

  @Test func withoutFacesThereIsNoVerdict() throws {
    let report = try predictor(recipe()) { _, _ in [] }.predict(Self.video)
    #expect(report.verdict == .undecided(.noFaces))
    #expect(report.frames == 5)
    #expect(report.facesFound == 0)
    #expect(report.members.isEmpty)
    #expect(report.scores.faces.isEmpty)
  }

  @Test func tooFewFacesAreNoGroundForOne() throws {
    let two = predictor(recipe(minFrames: 3)) { index, _ in index < 2 ? [.at(1, 1)] : [] }
    #expect(
      try two.predict(Self.video).verdict == .undecided(.tooFewFaces(found: 2, needed: 3)))
    let three = predictor(recipe(minFrames: 3)) { index, _ in index < 3 ? [.at(1, 1)] : [] }
    #expect(try three.predict(Self.video).verdict == .fake(probability: 0.5))
    // No more frames can be asked for than were looked at.
    let short = predictor(recipe(frames: 2, minFrames: 3)) { _, _ in [.at(1, 1)] }
    #expect(try short.predict(Self.video).verdict == .fake(probability: 0.5))
  }

  @Test func anImageIsAVideoOfOneFrame() throws {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("photo.png")
      try ImageFile.write(.plain(60, 50), to: file)
      let predictor = predictor(recipe(minFrames: 3), scorer: RuleScorer { Float($0.width) / 100 })
      { _, frame in [.at(5, 5, side: Float(frame.width) / 3)] }
      let report = try predictor.predict(file)
      #expect(report.frames == 1)
      #expect(report.scores.faces.map(\.time) == [0])
      // A box of 20 pixels with 15 % on either side.
      #expect(report.members[0].probability == 0.26)
      #expect(report.verdict.answer == .real)
    }
  }

  @Test func severalFacesOfAFrameAreAllJudged() throws {
    var recipe = recipe()
    recipe.faces.perFrame = 2
    let report = try predictor(recipe) { _, _ in [.at(1, 1), .at(20, 20), .at(30, 1)] }
      .predict(Self.video)
    #expect(report.facesFound == 5)
    #expect(report.scores.faces.count == 10)
  }

  @Test func whatGoesWrongIsThrown() throws {
    let broken = predictor(recipe(), scorer: BrokenScorer()) { _, _ in [.at(1, 1)] }
    #expect(throws: BrokenScorer.Failure.self) { try broken.predict(Self.video) }
    let wild = predictor(recipe(), scorer: RuleScorer { _ in .nan }) { _, _ in [.at(1, 1)] }
    #expect(throws: EnsembleError.self) { try wild.predict(Self.video) }
    #expect(throws: MediaError.self) {
      try broken.predict(URL(fileURLWithPath: "/nowhere/clip.mp4"))
    }
  }

  @Test func cancellationStopsTheWork() async throws {
    let predictor = predictor(recipe()) { _, _ in
      withUnsafeCurrentTask { $0?.cancel() }
      return [.at(1, 1)]
    }
    let task = Task { try predictor.predict(Self.video) }
    await #expect(throws: CancellationError.self) { try await task.value }
  }
}
