import DFKit
import Foundation
import TestSupport
import Testing

@Suite("Recipes: what members count") struct MemberWeightTests {
  private func yaml(_ weights: [String?], models: String = "mean") -> String {
    let members = weights.enumerated().map { index, weight -> String in
      let said = weight.map { ", weight: \($0)" } ?? ""
      return "  - {name: m\(index), architecture: efficientnet-b0\(said)}"
    }
    let list = members.joined(separator: "\n")
    return "name: r\nmembers:\n\(list)\naggregation:\n  models: \(models)\n  clip: [0, 1]\n"
  }

  private func said(_ recipe: Recipe, _ scores: [Float]) throws -> Float {
    try recipe.combination()(
      zip(recipe.members, scores).map { MemberScores(name: $0.name, frames: [$1]) }
    ).probability
  }

  @Test func weightsAreReadUsedAndWritten() throws {
    let recipe = try Recipe(yaml: yaml(["3", nil, "0"]), file: "r")
    #expect(recipe.memberWeights == [3, 1, 0])
    #expect(abs(try said(recipe, [0.9, 0.5, 0.1]) - 0.8) < 1e-6)
    #expect(try Recipe(yaml: recipe.yaml, file: "again") == recipe)
    let logits = try Recipe(yaml: yaml(["3", "1"], models: "mean-logit"), file: "r")
    // Log odds of 9 to 1 count three quarters.
    let expected = 1 / (1 + exp(-0.75 * log(Float(9))))
    #expect(abs(try said(logits, [0.9, 0.5]) - expected) < 1e-5)
    let plain = try Recipe(yaml: yaml([nil, nil], models: "median"), file: "r")
    #expect(plain.memberWeights == nil && !plain.yaml.contains("weight:"))
  }

  @Test func whatMakesNoSenseNamesThePlace() throws {
    func error(_ text: String) -> String {
      do {
        _ = try Recipe(yaml: text, file: "r.yaml")
        return ""
      } catch {
        return error.description
      }
    }
    #expect(error(yaml(["-1", "1"])).hasPrefix("r.yaml: members[0].weight: is '-1'"))
    #expect(error(yaml(["0", "0"])).hasPrefix("r.yaml: members: no weight may be negative"))
    #expect(
      error(yaml(["2", "1"], models: "median")).hasPrefix(
        "r.yaml: aggregation.models: is 'median', which does not support weights"))
  }

  @Test func otherWeightsFilesAndOtherRulesForgetThem() throws {
    var recipe = try Recipe(yaml: yaml(["3", "1"]), file: "r")
    recipe.aggregate(by: .median)
    #expect(recipe.memberWeights == nil && recipe.aggregation.models == .median)
    recipe = try Recipe(yaml: yaml(["3", "1"]), file: "r")
    recipe.forgetCalibration()
    #expect(recipe.memberWeights == nil)
  }

  @Test func subsetsKeepTheirWeights() throws {
    let mean = WeightedMeanAggregator([3, 1, 0])
    #expect(abs(mean.subset([0, 1]).aggregate([1, 0]) - 0.75) < 1e-6)
    #expect(mean.subset([2]).aggregate([0.25]) == 0.25)
    let stack = StackedAggregator(weights: [1, 0.5, -1], offset: 0)
    let scores: [Float] = [0.731_058_6]
    #expect(abs(stack.subset([0]).aggregate(scores) - 1 / (1 + exp(Float(-0.5)))) < 1e-5)
    #expect(abs(stack.subset([2]).aggregate(scores) - scores[0]) < 1e-5)

    // An ablation of members of a weighted recipe.
    let recipe = try Recipe(yaml: yaml(["3", "1"]), file: "r")
    let maker = VerdictMaker(recipe, try recipe.combination())
    let files = [FaceLabel.real, .fake].map {
      Evaluated.file($0.word, $0, [[$0 == .fake ? 0.9 : 0.2]], second: 0.5, maker)
    }
    let rows = Ablation(files, maker).rows(.members)
    #expect(rows.map(\.setting) == ["all 2", "a", "b"] && rows[1].videos[.auc].value == 1)
  }
}
