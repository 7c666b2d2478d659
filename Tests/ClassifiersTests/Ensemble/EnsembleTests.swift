import Classifiers
import DeepfakeCore
import TestSupport
import Testing

/// A scorer of one's own: the red of each crop's first pixel, over 255.
private struct Redness: FaceScorer {
  var factor: Float = 1
  func scores(_ crops: [Image]) -> [Float] {
    crops.map { factor * Float($0[0, 0].red) / 255 }
  }
}

/// A scorer that says the same, whatever it is shown.
private struct Fixed: FaceScorer {
  var answer: [Float]
  func scores(_ crops: [Image]) -> [Float] { answer }
}

@Suite struct EnsembleTests {
  let crops: [Image] = [0, 51, 255].map { red in
    Image(width: 2, height: 1, pixels: [red, 0, 0, 0, 0, 0])
  }

  @Test func framesThenModels() throws {
    let ensemble = Ensemble(
      [.init("plain", Redness()), .init("half", Redness(factor: 0.5))], frames: .maximum)
    let assessment = try ensemble.assess(crops)
    #expect(assessment.members.map(\.name) == ["plain", "half"])
    expectClose(assessment.members[0].frames, [0, 0.2, 1], tolerance: 1e-6)
    expectClose(assessment.members.map(\.probability), [1, 0.5], tolerance: 1e-6)
    expectClose([assessment.probability], [0.75], tolerance: 1e-6)
    expectClose(try ensemble.scores(crops), [0, 0.15, 0.75], tolerance: 1e-6)
  }

  @Test func clipHoldsTheAnswerOnly() throws {
    let ensemble = Ensemble(scorers: [Redness()], frames: .maximum, clip: 0.01...0.99)
    let assessment = try ensemble.assess(crops)
    #expect(assessment.members[0].name == "1")
    #expect(assessment.members[0].probability == 1)
    #expect(assessment.probability == 0.99)
  }

  @Test func calibrationComesAfterAggregationAndBeforeTheClip() throws {
    var ensemble = Ensemble(
      [.init("plain", Redness()), .init("half", Redness(factor: 0.5))], frames: .maximum)
    ensemble.calibration = LogitCalibration(scale: 2, offset: 0.5)
    let assessment = try ensemble.assess(crops)
    // The members stay as they are: 1 and 0.5, together 0.75, whose log odds are log 3.
    expectClose(assessment.members.map(\.probability), [1, 0.5], tolerance: 1e-6)
    let odds: Float = 9 * 1.6487212707001282
    expectClose([assessment.probability], [odds / (1 + odds)], tolerance: 1e-6)
    expectClose(try ensemble.scores(crops), [0, 0.15, 0.75], tolerance: 1e-6)
    ensemble.clip = 0.01...0.9
    #expect(try ensemble.assess(crops).probability == 0.9)
  }

  @Test func keptScoresCanBeCombinedAnew() throws {
    let kept = try Ensemble(scorers: [Redness()]).assess(crops).members.map {
      MemberScores(name: $0.name, frames: $0.frames)
    }
    let other = Ensemble(scorers: [Redness()], frames: .median)
    expectClose([other.combine(kept).probability], [0.2], tolerance: 1e-6)
  }

  @Test func ensemblesAndClipScorersAreMembersToo() throws {
    let inner = Ensemble(scorers: [Redness(), Redness(factor: 0.5)])
    let outer = Ensemble([.init("inner", inner), .init("clip", Fixed(answer: [0.5]))])
    let assessment = try outer.assess(crops)
    #expect(assessment.members[1].frames == [0.5])
    expectClose([assessment.probability], [(0.3 + 0.5) / 2], tolerance: 1e-6)
    expectClose(try outer.scores(crops), [0.25, 0.325, 0.625], tolerance: 1e-6)
    #expect(try outer.scores([]) == [])
  }

  @Test func wrongAnswersNameTheMember() {
    #expect(throws: EnsembleError.noCrops) { try Ensemble(scorers: [Redness()]).assess([]) }
    #expect(throws: EnsembleError.scoreCount(member: "1", found: 2, crops: 3)) {
      try Ensemble(scorers: [Fixed(answer: [0.1, 0.2])]).assess(crops)
    }
    #expect(throws: EnsembleError.notProbability(member: "odd", score: 1.5)) {
      try Ensemble([.init("odd", Fixed(answer: [0, 0, 1.5]))]).scores(crops)
    }
    #expect(throws: EnsembleError.self) {
      try Ensemble([.init("odd", Fixed(answer: [.nan]))]).assess(crops)
    }
  }
}
