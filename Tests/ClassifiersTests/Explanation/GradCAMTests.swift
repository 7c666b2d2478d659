import Classifiers
import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// Grad-CAM against PyTorch's gradients of timm's networks (`Fixtures/make_gradcam.py`).
@Suite struct GradCAMTests {
  struct Golden: Decodable {
    var model: String
    var groups: Int
    var size: Int
    var varianceScale: Double
    var input: String
    var depth: Int
    var height: Int
    var width: Int
    var logit: Float
    var map: [Float]
  }

  @Test func mapsArePyTorchs() throws {
    let cases = try JSONDecoder().decode(
      [Golden].self, from: Data(contentsOf: Paths.fixture("gradcam.json")))
    #expect(cases.count == 6)
    for golden in cases {
      let architecture =
        try golden.model == "legacy_xception"
        ? .xception : #require(Architecture(rawValue: "efficientnet-\(golden.model.suffix(2))"))
      let settings = ClassifierSettings(
        architecture, scheme: .timm,
        norm: golden.groups > 0 ? .group(groups: golden.groups, epsilon: 1e-5) : nil)
      var cam = try GradCAM(
        formulaState(settings, varianceScale: golden.varianceScale),
        ClassifierOptions(groups: golden.groups > 0 ? golden.groups : nil))
      cam.depth = golden.depth
      let x = Formula.image(golden.input, batch: 1, height: golden.size, width: golden.size)
      let (map, logit) = cam(x)
      #expect(map.width == golden.width && map.height == golden.height, "\(golden.input)")
      expectClose([logit], [golden.logit], tolerance: 1e-4, golden.input)
      // Of values whose highest is far below 1, relative to that.
      let highest = try #require(golden.map.max())
      expectClose(
        map.values.map { $0 / highest }, golden.map.map { $0 / highest }, tolerance: 1e-4,
        "\(golden.input), depth \(golden.depth)")
    }
  }

  @Test func twoClassesSpeakForTheSecond() throws {
    var settings = ClassifierSettings(.efficientNetB0, scheme: .timm, norm: .group)
    settings.classCount = 2
    let state = formulaState(settings, varianceScale: 0.5)
    let cam = try GradCAM(state)
    let x = Formula.image("two", batch: 1, height: 64, width: 64)
    let logits = ClassifierModelLogits.of(state, x)
    #expect(abs(cam(x).logOdds - (logits[1] - logits[0])) < 1e-4)
    settings.classCount = 5
    #expect(throws: ClassifierError.self) {
      try GradCAM(formulaState(settings, varianceScale: 0.5))
    }
  }

  @Test func heatIsLaidOverWhereItIs() throws {
    let map = HeatMap(width: 2, height: 1, values: [0, 4])
    #expect(map.normalized == [0, 1])
    let gray = Image(width: 40, height: 20, pixels: [UInt8](repeating: 100, count: 40 * 20 * 3))
    let drawn = map.drawn(over: gray)
    #expect(drawn[2, 10] == (100, 100, 100), "nothing speaks for it on the left")
    #expect(drawn[38, 10].red > 150 && drawn[38, 10].green < 80)
    #expect(HeatMap(width: 1, height: 1, values: [0]).drawn(over: gray) == gray)
  }
}

private enum ClassifierModelLogits {
  static func of(_ state: StateDict, _ x: Tensor) -> [Float] {
    ((try? ClassifierModel(state))?.logits(x).scalars) ?? []
  }
}
