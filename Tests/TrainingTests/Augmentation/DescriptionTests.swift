import Testing
import Training

@Suite struct DescriptionTests {
  private func problem(_ descriptions: AugmentationDescription...) -> String {
    do throws(AugmentationError) {
      let found = try Augmentation(descriptions)
      Issue.record("\(found.descriptions) was taken")
      return ""
    } catch {
      return error.description
    }
  }

  @Test func makesWhatDescriptionsTell() throws {
    let found = try Augmentation([
      AugmentationDescription("horizontalFlip", ["probability": .number(0.5)]),
      AugmentationDescription("rotation", ["degrees": .number(15)]),
    ])
    #expect(found == .silver)
    let cutout = try Augmentation([
      AugmentationDescription(
        "oneOf",
        [
          "steps": .steps([
            AugmentationDescription("cutout", ["count": .list([.number(1), .number(3)])]),
            AugmentationDescription("landmarkCutout", ["parts": .word("eyes")]),
          ])
        ]),
      AugmentationDescription("mixup", ["alpha": .number(0.4), "partner": .word("original")]),
    ])
    #expect(cutout.mixup == Mixup(alpha: 0.4, partner: .original))
    #expect(
      cutout.steps.first?.description.parameters["steps"]
        == Augmentation.Step(
          OneOf([
            Augmentation.Step(Cutout(count: 1...3, size: 0.1...0.3)),
            Augmentation.Step(LandmarkCutout(parts: [.eyes])),
          ])
        ).description.parameters["steps"])
  }

  @Test func readsBackWhatItWrites() throws {
    var all = Augmentation.operationNames.filter { $0 != "mixup" && $0 != "oneOf" }
      .map { AugmentationDescription($0) }
    all.append(
      AugmentationDescription("oneOf", ["steps": .steps(Augmentation.strong.descriptions)]))
    var augmentation = try Augmentation(all)
    augmentation.mixup = Mixup(probability: 0.3, alpha: 1.5)
    let again = try Augmentation(augmentation.descriptions)
    #expect(again == augmentation)
    #expect(again.descriptions.count == Augmentation.operationNames.count)
    for preset in Augmentation.Preset.allCases {
      let named = Augmentation(preset: preset)
      #expect(try Augmentation(named.descriptions) == named)
    }
  }

  @Test func namesWhatIsWrong() {
    #expect(
      problem(.init("rotate")).hasPrefix(
        "rotate: is not a known step; must be one of horizontalFlip"))
    #expect(
      problem(.init("rotation", ["angle": .number(1)]))
        == "rotation.angle: is not a known key; known here: probability, degrees, edges")
    #expect(problem(.init("rotation", ["degrees": .number(200)])).contains("from -180.0 to 180.0"))
    #expect(
      problem(.init("rotation", ["degrees": .number(.nan)])).hasPrefix("rotation.degrees: must"))
    #expect(
      problem(.init("gamma", ["gamma": .list([.number(2), .number(1)])]))
        .hasPrefix("gamma.gamma: must"))
    #expect(problem(.init("jpeg", ["quality": .number(50.5)])).contains("whole number"))
    #expect(problem(.init("jpeg", ["probability": .number(2)])).contains("from 0.0 to 1.0"))
    #expect(
      problem(.init("rotation", ["edges": .word("mirror")]))
        == "rotation.edges: must be one of black, replicate")
    #expect(
      problem(.init("landmarkCutout", ["parts": .list([.word("eyes"), .word("eyes")])]))
        .contains("each at most once"))
    #expect(
      problem(.init("landmarkCutout", ["parts": .list([])])).contains("must name at least one"))
    #expect(problem(.init("oneOf", ["steps": .steps([])])).contains("must be a list of steps"))
    #expect(
      problem(.init("oneOf", ["steps": .steps([.init("grey", ["depth": .number(1)])])]))
        == "oneOf.grey.depth: is not a known key; known here: probability")
    #expect(problem(.init("mixup"), .init("mixup")) == "mixup: is given twice")
  }
}
