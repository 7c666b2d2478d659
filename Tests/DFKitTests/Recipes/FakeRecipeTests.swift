import DFKit
import Foundation
import TestSupport
import Testing

@Suite struct FakeRecipeTests {
  private func training(_ line: String, member: String = "") throws -> TrainingOptions {
    let text = """
      name: tiny
      training:
        \(line)
      members:
        - name: only
          architecture: efficientnet-b0
      """
    let recipe = try Recipe(
      yaml: member.isEmpty ? text : text + "\n    training:\n      \(member)\n", file: "r.yaml")
    return recipe.training(of: recipe.members[0])
  }

  @Test func aWordIsAnEntry() throws {
    #expect(try training("epochs: 3").fakes == nil)
    #expect(try training("fakes: none").fakes == nil)
    #expect(try training("fakes: self-blended").fakes == FakeOptions())
    #expect(try training("fakes: {}").fakes == FakeOptions())
    #expect(try training("fakes:").fakes == nil)
  }

  @Test func everyKeyIsRead() throws {
    let options = try training(
      "fakes: {kind: self-blended, share: 0.7, donor: 0.3, colorMatch: 0.5, softness: 0.2,"
        + " softnessWidth: [30, 80], strength: 1.5, parts: [face, lower, lower], validate: true}")
    var expected = FakeOptions()
    expected.share = 0.7
    expected.validate = true
    expected.blending.donor = 0.3
    expected.blending.colorMatch = 0.5
    expected.blending.softness = 0.2
    expected.blending.softnessWidth = 30...80
    expected.blending.strength = 1.5
    expected.blending.parts = [.face, .lower, .lower]
    #expect(options.fakes == expected)
    #expect(options.problem == nil)
  }

  @Test func membersChangeWhatTheRecipeSays() throws {
    let line = "fakes: {share: 0.7, donor: 0.3}"
    #expect(try training(line, member: "fakes: none").fakes == nil)
    let changed = try #require(try training(line, member: "fakes: {donor: 0}").fakes)
    #expect(changed.share == 0.7 && changed.blending.donor == 0)
    #expect(try training(line, member: "fakes: self-blended").fakes?.share == 0.7)
  }

  @Test func readsBackAsItWasWritten() throws {
    for line in [
      "fakes: none", "fakes: self-blended", "fakes: {donor: 0.25, parts: ellipse, validate: true}",
    ] {
      let text = """
        name: tiny
        training:
          \(line)
        members:
          - name: only
            architecture: efficientnet-b0
        """
      let recipe = try Recipe(yaml: text, file: "r.yaml")
      let again = try Recipe(yaml: recipe.yaml, file: "again.yaml")
      #expect(again.training == recipe.training, "\(recipe.yaml)")
      let entries = recipe.training?.entries.filter { $0.key.hasPrefix("fakes") } ?? []
      #expect(entries.count == (line == "fakes: none" ? 1 : 9))
    }
  }

  @Test(arguments: [
    ("fakes: swapped", "training.fakes", "self-blended"),
    ("fakes: [self-blended]", "training.fakes", "mapping"),
    ("fakes: {shares: 1}", "training.fakes.shares", "known here: kind, share"),
    ("fakes: {share: 2}", "training.fakes.share", "0.0 to 1.0"),
    ("fakes: {softnessWidth: [90, 30]}", "training.fakes.softnessWidth", "not less"),
    ("fakes: {softnessWidth: [1, 30]}", "training.fakes.softnessWidth", "4.0 to 4096.0"),
    ("fakes: {parts: []}", "training.fakes.parts", "face, inner, features, lower, ellipse"),
    ("fakes: {parts: [nose]}", "training.fakes.parts", "'nose'"),
    ("fakes: {validate: maybe}", "training.fakes.validate", "true or false"),
  ])
  func mistakesNameThePlace(_ line: String, _ key: String, _ hint: String) throws {
    let error = #expect(throws: RecipeError.self) { try training(line) }
    #expect(error?.key == key)
    #expect(error?.problem.contains(hint) == true, "\(String(describing: error))")
  }
}
