import DFKit
import TestSupport
import Testing

/// The way of scores from networks into the table, and out of it.
@Suite struct ScoreTableTests {
  private static let small = Face.at(2, 4, side: 10)
  private static let large = Face.at(40, 20, side: 20)

  private func report(_ rule: Recipe.People.Rule) throws -> VideoReport {
    var recipe = Recipe(name: "t", members: [.init(name: "a", architecture: .efficientNetB0)])
    recipe.frames = 3
    recipe.people.verdict = rule
    let predictor = VideoPredictor(
      recipe: recipe, detector: ScriptedDetector { _, _ in [Self.large, Self.small] },
      ensemble: Ensemble([
        .init("width", RuleScorer { Float($0.width) / 100 }), .init("most", WidestScorer()),
      ]))
    return try StillVideo.with(frames: 3) { try predictor.predict($0) }
  }

  /// One score for all crops that it is shown together.
  private struct WidestScorer: FaceScorer {
    func scores(_ crops: [Image]) throws -> [Float] {
      [Float(crops.map(\.width).max() ?? 0) / 100]
    }
  }

  @Test func everyFaceKnowsWhereItIsFrom() throws {
    let table = try report(.highest).scores
    #expect(table.members.map(\.name) == ["width", "most"])
    #expect(table.faces.map(\.frame) == [0, 0, 1, 1, 2, 2])
    #expect(table.faces.map(\.person) == [2, 1, 2, 1, 2, 1])
    #expect(table.faces[0].scores == [0.26, 0.26] && table.faces[1].scores == [0.13, 0.13])
    #expect(table.faces.allSatisfy { $0.measures == [nil, nil] })
  }

  @Test func whoIsJudgedAsOneIsShownTogether() throws {
    let report = try report(.together)
    #expect(report.scores.faces.map { $0.scores[1] } == [Float](repeating: 0.26, count: 6))
    #expect(report.members.map(\.probability) == [0.195, 0.26])
  }

  @Test func answersAreTheWordsOfJSON() {
    let verdicts = [
      Verdict.fake(probability: 0.75), .real(probability: 0.25), .undecided(.noFaces),
    ]
    #expect(verdicts.map(\.answer.rawValue) == ["fake", "real", "undecided"])
  }
}
