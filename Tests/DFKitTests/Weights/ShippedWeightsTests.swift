import DFKit
import Foundation
import TestSupport
import Testing

@Suite struct ShippedWeightsTests {
  @Test func allThatShipsIsReadAndDescribed() throws {
    let cards = try ShippedWeights.readCards()
    #expect(Set(cards.keys) == Set(ShippedWeights.all.map(\.name)))
    for weights in ShippedWeights.all {
      let card = try #require(weights.card, "\(weights.name)")
      #expect(try weights.read().count > 0)
      #expect(weights.architecture != nil, "\(weights.name)")
      let document = Paths.package.appendingPathComponent(card.document)
      // The model card is written beside the weights.
      #expect(
        FileManager.default.fileExists(atPath: document.path) || card.document.hasSuffix("Card.md"))
      #expect(ShippedWeights.named(weights.name) == weights)
    }
    #expect(ShippedWeights.named("nothing") == nil)
  }

  /// 24 MB at most: the program is copied around.
  @Test func theDefaultClassifiersAreSmall() throws {
    let recipe = try Recipe.named(Recipe.defaultName)
    #expect(recipe.members.count >= 3)
    #expect(recipe.members.first?.weights == "default")
    let sizes = try recipe.members.map { member in
      let name = try #require(member.weights)
      return try #require(ShippedWeights.named(name)).bytes.count
    }
    #expect(sizes.reduce(0, +) <= 24_000_000)
  }

  @Test(arguments: (try? Recipe.named(Recipe.defaultName))?.members.map(\.name) ?? [])
  func aDefaultClassifierIsHalfPreciseAndAsTheRecipeSays(_ name: String) throws {
    let recipe = try Recipe.named(Recipe.defaultName)
    let member = try recipe.member(name)
    let shipped = try #require(member.weights)
    let weights = try #require(ShippedWeights.named(shipped))
    #expect(weights.card?.kind == .classifier)
    let state = try weights.read()
    #expect(state.keys.allSatisfy { state[$0]?.dtype == .f16 })
    let settings = try ClassifierSettings.resolve(state, member.network)
    // What the recipe says of the network is what the file says; the mirror is the recipe's own.
    var expected = try ClassifierSettings.resolve(state)
    expected.isMirrored = true
    #expect(settings == expected)
    #expect(settings.classCount == 1)
    #expect(try ModelMetadata(state).cropMargin == recipe.crop.margin)
    let model = try ClassifierModel(state, member.network)
    var generator = SeededGenerator(seed: 3)
    let crop = Image(width: 90, height: 100) { pixels in
      for i in pixels.indices { pixels[i] = UInt8(truncatingIfNeeded: generator.next()) }
    }
    let score = try #require(try model.scores([crop]).first)
    #expect(score > 0 && score < 1)
  }

  @Test func theFileIsUsedWhereItLies() throws {
    let weights = try #require(ShippedWeights.named("default"))
    let bytes = weights.bytes
    #expect(Int(bitPattern: bytes.baseAddress) % 64 == 0)
    #expect(try #require(ShippedWeights.named("default")).bytes.baseAddress == bytes.baseAddress)
    #expect(weights.digest.count == 64)
    #expect(weights.digest == ShippedWeights.named("default")?.digest)
  }

  @Test func aNameStandsForWhatShipsAndAPathForAFile() throws {
    #expect(WeightsSource(argument: "default").file == nil)
    #expect(WeightsSource(argument: "default").name == "built-in default")
    #expect(WeightsSource(argument: "./default").file != nil)
    #expect(WeightsSource(argument: "default.safetensors").file != nil)
  }

  @Test func theReportSaysWhatIsKnown() throws {
    let report = try WeightsReport(WeightsSource(argument: "default"))
    let card = try #require(ShippedWeights.named("default")?.card)
    for line in card.lines.map(\.text) + [report.shipped?.digest ?? "?", "efficientnet"] {
      #expect(report.text.contains(line), "\(line)")
    }
    #expect(report.kind == "classifier")
    let json = report.json.text
    #expect(
      json.contains("\"notFor\"") && json.contains("\"sha256\"") && json.contains("\"bytes\""))
    let table = ShippedWeights.table()
    for weights in ShippedWeights.all { #expect(table.contains("\n\(weights.name) ")) }
  }

  @Test func recipesNameWhatShips() throws {
    func recipe(_ member: String, _ detector: String = "") throws -> Recipe {
      try Recipe(
        yaml: """
          name: mine
          \(detector)
          members:
            - {name: a, architecture: efficientnet-lite0, weights: \(member)}
          """, file: "r.yaml")
    }
    let own = try recipe("default")
    #expect(own.members[0].weights == "default")
    #expect(try Recipe(yaml: own.yaml, file: "again") == own)
    for wrong in ["mine", "look-alike"] {
      let error = #expect(throws: RecipeError.self) { try recipe(wrong) }
      #expect(error?.key == "members[0].weights" && error?.problem.contains("default") == true)
    }
    let error = #expect(throws: RecipeError.self) {
      try recipe("default", "detector: {weights: default}")
    }
    #expect(error?.key == "detector.weights")
  }
}
