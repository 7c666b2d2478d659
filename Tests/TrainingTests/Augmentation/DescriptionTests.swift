import Settings
import Testing
import Training

/// Augmentations as recipes have them.
@Suite struct DescriptionTests {
  /// A step with parameters; a number or word stands for a parameter's text.
  private func step(_ name: String, _ parameters: [String: SettingValue] = [:]) -> SettingValue {
    .map([SettingEntry(name, .map(parameters.map { SettingEntry($0.key, $0.value) }))])
  }

  private func problem(_ items: SettingValue...) -> String {
    do throws(SettingError) {
      let found = try Augmentation(items, at: "list")
      Issue.record("\(found.items) was taken")
      return ""
    } catch {
      return "\(error.key): \(error.problem)"
    }
  }

  @Test func makesWhatItemsTell() throws {
    let found = try Augmentation(
      [
        step("horizontalFlip", ["probability": .text("0.5")]),
        step("rotation", ["degrees": .text("15")]),
      ], at: "")
    #expect(found == .silver)
    #expect(try Augmentation([.text("silver")], at: "") == .silver)
    let cutout = try Augmentation(
      [
        step(
          "oneOf",
          [
            "steps": .list([
              step("cutout", ["count": .list([.text("1"), .text("3.0")])]),
              step("landmarkCutout", ["parts": .text("eyes")]),
            ])
          ]),
        step("mixup", ["alpha": .text("0.4"), "partner": .text("original")]),
      ], at: "")
    #expect(
      cutout
        == Augmentation(
          [
            Augmentation.Step(
              OneOf([
                Augmentation.Step(Cutout(count: 1...3, size: 0.1...0.3)),
                Augmentation.Step(LandmarkCutout(parts: [.eyes])),
              ]))
          ], mixup: Mixup(alpha: 0.4, partner: .original)))
    #expect(cutout != .silver)
  }

  @Test func readsBackWhatItWrites() throws {
    var all = Augmentation.operationNames.filter { $0 != "mixup" && $0 != "oneOf" }
      .map { SettingValue.text($0) }
    all.append(step("oneOf", ["steps": .list(Augmentation.strong.items)]))
    var augmentation = try Augmentation(all, at: "")
    augmentation.mixup = Mixup(probability: 0.3, alpha: 1.5)
    let again = try Augmentation(augmentation.items, at: "")
    #expect(again == augmentation)
    #expect(again.items.count == Augmentation.operationNames.count)
    for preset in Augmentation.Preset.allCases {
      let named = Augmentation(preset: preset)
      #expect(try Augmentation(named.items, at: "") == named)
    }
  }

  @Test func namesWhatIsWrong() {
    #expect(
      problem(.text("rotate"))
        .hasPrefix("list[0]: 'rotate' is not a known step; must be one of horizontalFlip"))
    #expect(
      problem(.text("grey"), step("rotation", ["angle": .text("1")]))
        == "list[1].rotation.angle: is not a known key; known here: probability, degrees, edges")
    let angle = problem(step("rotation", ["degrees": .text("200")]))
    #expect(angle.hasPrefix("list[0].rotation.degrees: is '200'"))
    #expect(angle.contains("from -180.0 to 180.0 (meaning plus or minus that number)"))
    for wrong in ["nan", "-inf", "", "1e999"] {
      #expect(
        problem(step("rotation", ["degrees": .text(wrong)])).contains("rotation.degrees: is"))
    }
    #expect(
      problem(step("gamma", ["gamma": .list([.text("2"), .text("1")])]))
        .contains("gamma.gamma: is ['2', '1']; must be a number from"))
    #expect(problem(step("jpeg", ["quality": .text("50.5")])).contains("whole number"))
    #expect(problem(step("jpeg", ["quality": .text("0")])).contains("from 1 to 100"))
    #expect(problem(step("jpeg", ["probability": .text("2")])).contains("from 0.0 to 1.0"))
    #expect(
      problem(step("rotation", ["edges": .text("mirror")]))
        == "list[0].rotation.edges: is 'mirror'; must be one of black, replicate")
    for wrong in [[SettingValue.text("eyes"), .text("eyes")], [], [.text("ears")]] {
      #expect(
        problem(step("landmarkCutout", ["parts": .list(wrong)]))
          .contains("some of eyes, nose, mouth, each at most once"))
    }
    #expect(problem(step("oneOf", ["steps": .list([])])).contains("list of at least one step"))
    #expect(
      problem(step("oneOf", ["steps": .list([step("grey", ["depth": .text("1")])])]))
        == "list[0].oneOf.steps[0].grey.depth: is not a known key; known here: probability")
    #expect(
      problem(step("oneOf", ["steps": .list([.text("mixup")])])).contains("must not hold mixup"))
    #expect(problem(.text("mixup"), .text("mixup")) == "list[1]: mixup is given twice")
    var nested = SettingValue.text("grey")
    for _ in 0..<12 { nested = step("oneOf", ["steps": .list([nested])]) }
    #expect(problem(nested).contains("nested too deeply"))
  }

  @Test func valuesThatNoRecipeCanHaveAreFound() {
    var options = TrainingOptions()
    options.augmentation = Augmentation([
      Augmentation.Step(OneOf([Augmentation.Step(GaussianBlur(sigma: 1...99))]))
    ])
    #expect(options.problem?.contains("sigma") == true)
  }
}
