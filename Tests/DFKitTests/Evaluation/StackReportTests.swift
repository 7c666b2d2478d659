import DFKit
import Foundation
import TestSupport
import Testing

@Suite("Evaluation: what members should count") struct StackReportTests {
  /// Two hundred files of a hundred people; each member's score leans towards the truth by so much,
  /// and errs by chance.
  private func files(_ leaning: (Float, Float), noise: Float = 1) throws -> [EvaluatedFile] {
    var generator = SeededGenerator(seed: 5)
    let maker = try Evaluated.maker()
    return (0..<200).map { index in
      let label: FaceLabel = index % 2 == 0 ? .real : .fake
      func score(_ leaning: Float) -> Float {
        let error = (0..<4).reduce(Float(0)) { sum, _ in
          sum + Float.random(in: -noise...noise, using: &generator)
        }
        let logit = (label == .fake ? leaning : -leaning) + error
        return 1 / (1 + exp(-logit))
      }
      let first = score(leaning.0)
      return Evaluated.file(
        "\(index)", label, [[first]], second: score(leaning.1), group: "p\(index / 2)",
        source: index < 60 ? "x" : "y", maker)
    }
  }

  @Test func aMemberThatKnowsNothingCountsNothing() throws {
    let report = try StackReport(files((2, 0)), GroupBootstrap(draws: 200))
    #expect(report.members == ["a", "b"] && report.groups == 100)
    #expect(report.real == 100 && report.fake == 100)
    #expect(report.weights[0] > 0.75 && report.weights.allSatisfy { $0 >= 0 })
    #expect(abs(report.weights.reduce(0, +) - 1) < 1e-9)
    #expect(report.rows.map(\.name) == ["mean", "mean of log odds", "stack", "a alone", "b alone"])
    let stack = try #require(report.rows.first { $0.name == "stack" })
    let difference = try #require(stack.difference)
    #expect(difference[.logLoss].value < 0 && difference[.auc].value > 0)
    #expect(try #require(difference[.logLoss].interval).upperBound < 0 && report.isBetterThanMean)
    // The interval is of pairs: the difference of the figures is the figure of the difference.
    #expect(
      abs(
        stack.figures[.logLoss].value - report.rows[0].figures[.logLoss].value
          - difference[.logLoss].value) < 1e-9)
    #expect(report.text.contains("significantly better"))
    #expect(report.text.contains("models: mean-logit"))
  }

  @Test func equallyGoodMembersNeedNoWeights() throws {
    let report = try StackReport(files((1.5, 1.5)), GroupBootstrap(draws: 200))
    #expect(abs(report.weights[0] - 0.5) < 0.15)
    #expect(!report.isBetterThanMean && report.text.contains("can be kept"))
  }

  /// What is printed for the recipe says what the stack says.
  @Test func aRecipeCanSayTheStack() throws {
    let report = try StackReport(files((2, 0.5)), GroupBootstrap(draws: 20))
    var recipe = Recipe(
      name: "r",
      members: [
        .init(name: "a", architecture: .efficientNetB0),
        .init(name: "b", architecture: .efficientNetB0),
      ])
    for index in 0...1 { recipe.members[index].weight = Float(report.weights[index]) }
    recipe.aggregation.models = .meanLogit
    recipe.aggregation.calibration = report.calibration
    recipe.aggregation.clip = nil
    let stack = StackedAggregator(
      weights: report.weights.map { $0 * report.calibration.scale },
      offset: report.calibration.offset)
    let combination = try recipe.combination()
    for scores in [[0.2, 0.9], [0.7, 0.6], [0.01, 0.4]] as [[Float]] {
      let said = combination(
        zip(["a", "b"], scores).map { MemberScores(name: $0, frames: [$1]) }
      ).probability
      #expect(abs(said - stack.aggregate(scores)) < 1e-5)
    }
  }

  @Test func whatCannotBeWeighedSaysWhy() throws {
    let maker = try Evaluated.maker()
    let one = (0..<20).map { Evaluated.file("\($0)", .real, [[0.4]], maker) }
    #expect(throws: StackReport.Problem.oneMember) { try StackReport(one) }
    let few = try Array(files((1, 1)).prefix(10))
    #expect(throws: StackReport.Problem.fewGroups(5)) { try StackReport(few) }
    let single = try files((1, 1)).filter { $0.label == .real }
    #expect(throws: StackReport.Problem.self) { try StackReport(single) }
  }
}
