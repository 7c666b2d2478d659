import DFKit
import Foundation
import TestSupport
import Testing

@Suite struct RecipeTests {
  /// The smallest recipe.
  private static let minimal = """
    name: tiny
    members:
      - name: only
        architecture: efficientnet-b0
    """

  private func error(_ yaml: String) -> RecipeError? {
    do {
      _ = try Recipe(yaml: yaml, file: "r.yaml")
      return nil
    } catch {
      return error
    }
  }

  @Test func silverIsTheSystemToReproduce() throws {
    let recipe = try Recipe.named("dfdc-silver")
    #expect(recipe.name == "dfdc-silver")
    #expect(recipe.frames == 25)
    #expect(recipe.detector.kind == .retinaface)
    #expect(recipe.detector.frameScale == 0.5)
    #expect(recipe.faces.perFrame == 1)
    #expect(recipe.people.verdict == .together)
    #expect(recipe.aggregation.frames == .mean)
    #expect(recipe.aggregation.models == .mean)
    #expect(recipe.aggregation.clip == 0.01...0.99)
    let expected: [(String, Architecture, Int)] = [
      ("b6-200", .efficientNetB6, 200), ("b5-224-faces3", .efficientNetB5, 224),
      ("b5-224-faces6", .efficientNetB5, 224), ("b6-224-val", .efficientNetB6, 224),
      ("b4-224-aug", .efficientNetB4, 224),
    ]
    #expect(recipe.members.count == expected.count)
    for (member, (name, architecture, size)) in zip(recipe.members, expected) {
      #expect(member.name == name)
      #expect(member.architecture == architecture)
      #expect(member.size == size)
      #expect(member.norm == .group)
      #expect(member.groups == 8)
      #expect(member.dropout == 0.4)
    }
    let training = try #require(recipe.training)
    #expect(training.batchSize == 20)
    #expect(training.optimizer.kind == .adam())
    #expect(training.optimizer.learningRate == 0.001)
    #expect(training.schedule.kind == .plateau(factor: 0.5, patience: 2))
    #expect(training.augmentation == .silver)
    #expect(training.holdOut == 0.2)
    #expect(recipe.members.allSatisfy { $0.stochasticDepth == 0 })
    #expect(recipe.training(of: recipe.members[0]) == training)
    var extra = training
    extra.validationEpochs = 1
    #expect(recipe.training(of: recipe.members[3]) == extra)
    var strong = training
    strong.augmentation = .strong
    strong.loss.labelSmoothing = 0.1
    #expect(recipe.training(of: recipe.members[4]) == strong)
  }

  @Test func aRuleOverPeopleJudgesThemAll() throws {
    var recipe = try Recipe.named("dfdc-silver")
    recipe.judgePeople(by: .together)
    #expect(recipe == (try Recipe.named("dfdc-silver")))
    recipe.judgePeople(by: .mean)
    #expect(recipe.people.verdict == .mean && recipe.faces.perFrame == 100)
    // A recipe that judges people keeps its number.
    recipe.faces.perFrame = 2
    recipe.judgePeople(by: .highest)
    #expect(recipe.people.verdict == .highest && recipe.faces.perFrame == 2)
  }

  @Test func everyBuiltInRecipeIsValidAndNamedAsListed() throws {
    #expect(Recipe.builtInNames.contains("dfdc-silver"))
    for name in Recipe.builtInNames {
      #expect(try Recipe.named(name).name == name)
    }
  }

  @Test func whatIsNotSaidHasDefaults() throws {
    let recipe = try Recipe(yaml: Self.minimal, file: "r.yaml")
    var expected = Recipe(
      name: "tiny", members: [.init(name: "only", architecture: .efficientNetB0)])
    expected.frames = 25
    #expect(recipe == expected)
    #expect(recipe.faces.perFrame == 8)
    #expect(recipe.people.verdict == .highest)
    #expect(recipe.people.minFrames == 3)
    #expect(recipe.people.minShare == 0.25)
    #expect(recipe.training == nil)
    #expect(recipe.members[0].scheme == nil)
  }

  @Test func everyKeyIsRead() throws {
    let yaml = """
      name: full
      description: all of it
      frames: 7
      detector: {kind: retinaface, frameScale: 0.25, threshold: 0.9, nms: 0.3, minFace: 12}
      faces: {perFrame: 2, choose: size, minFrames: 4}
      crop: {shape: aligned, margin: 0.3}
      people: {verdict: largest, minFrames: 9, minShare: 0.5}
      members:
        - name: a
          description: first
          architecture: xception
          scheme: icpr2020dfdc
          size: 256
          norm: batch
          dropout: 0.1
          mean: [0.5, 0.4, 0.3]
          std: [0.2, 0.3, 0.4]
      aggregation:
        frames: "trimmed-mean:0.2"
        models: median
        calibration: {scale: 1.25, offset: -0.123456789}
        clip: [0.1, 0.8]
      verdict: {undecided: [0.35, 0.6]}
      training: {batchSize: 4}
      """
    let recipe = try Recipe(yaml: yaml, file: "r.yaml")
    #expect(recipe.description == "all of it")
    #expect(recipe.frames == 7)
    #expect(recipe.detector.frameScale == 0.25)
    let auto = try Recipe(
      yaml: Self.minimal + "\ndetector: {frameScale: auto}", file: "r.yaml")
    #expect(auto.detector.frameScale == .auto)
    #expect(try Recipe(yaml: auto.yaml, file: "again.yaml").detector.frameScale == .auto)
    #expect(recipe.detector.method == .retinaface(threshold: 0.9, nms: 0.3))
    #expect(recipe.detector.minFace == 12)
    #expect(recipe.faces.perFrame == 2)
    #expect(recipe.faces.choose == .size)
    #expect(recipe.faces.minFrames == 4)
    #expect(recipe.crop.shape == .aligned)
    #expect(recipe.crop.margin == 0.3)
    #expect(recipe.people.verdict == .largest)
    #expect(recipe.people.minFrames == 9)
    #expect(recipe.people.minShare == 0.5)
    let options = recipe.members[0].network
    #expect(options.architecture == Architecture.xception.rawValue)
    #expect(options.scheme == Scheme.icpr2020dfdc.rawValue)
    #expect(options.size == 256)
    #expect(options.norm == .batch)
    #expect(options.mean == [0.5, 0.4, 0.3])
    #expect(options.std == [0.2, 0.3, 0.4])
    #expect(recipe.aggregation.frames == .trimmedMean(fraction: 0.2))
    #expect(recipe.aggregation.models == .median)
    #expect(
      recipe.aggregation.calibration == LogitCalibration(scale: 1.25, offset: -0.123456789))
    #expect(recipe.aggregation.clip == 0.1...0.8)
    #expect(recipe.verdict.undecided == 0.35...0.6)
    for value in Recipe.Decision.Unfamiliar.allCases {
      let text = Self.minimal + "\nverdict: {unfamiliar: \(value.rawValue)}"
      let own = try Recipe(yaml: text, file: "r.yaml")
      #expect(own.verdict.unfamiliar == value)
      #expect(try Recipe(yaml: own.yaml, file: "again") == own)
    }
    #expect(try Recipe(yaml: recipe.yaml, file: "again") == recipe)
    let training = try #require(recipe.training)
    #expect(training.batchSize == 4)
  }

  @Test func everyKeyOfMTCNNIsRead() throws {
    let line = "detector: {kind: mtcnn, thresholds: [0.5, 0.6, 0.8], factor: 0.8, minFace: 30}"
    let detector = try Recipe(yaml: Self.minimal + "\n" + line, file: "r.yaml").detector
    #expect(detector.kind == .mtcnn)
    #expect(detector.method == .mtcnn(thresholds: [0.5, 0.6, 0.8], factor: 0.8))
    #expect(detector.minFace == 30)
    let plain = try Recipe(yaml: Self.minimal + "\ndetector: {kind: mtcnn}", file: "r.yaml")
      .detector
    #expect(plain.method == .mtcnn(thresholds: [0.6, 0.7, 0.7], factor: 0.709))
    #expect(plain.minFace == nil)
  }

  @Test(arguments: [
    ("frame: 3", "frame", "known here: name, description, frames"),
    ("frames: 0", "frames", "1 to 1000"),
    ("frames: many", "frames", "whole number"),
    ("frames: 2.5", "frames", "whole number"),
    ("frames: [1]", "frames", "whole number from 1 to 1000, not a list"),
    ("detector: {frameScale: 9}", "detector.frameScale", "0.05 to 4.0"),
    ("detector: {frameScale: nan}", "detector.frameScale", "number"),
    ("detector: {frameScale: automatic}", "detector.frameScale", "or auto"),
    ("detector: {kind: viola}", "detector.kind", "retinaface"),
    ("detector: retinaface", "detector", "mapping"),
    ("detector: {sharpness: 1}", "detector.sharpness", "known here: kind"),
    ("detector: {factor: 0.7}", "detector.factor", "does not apply to the detector retinaface"),
    ("detector: {kind: mtcnn, nms: 0.3}", "detector.nms", "does not apply to the detector mtcnn"),
    ("detector: {kind: mtcnn, threshold: 0.3}", "detector.threshold", "only to retinaface"),
    ("detector: {kind: mtcnn, thresholds: [1, 2]}", "detector.thresholds", "list of 3 numbers"),
    ("detector: {kind: mtcnn, thresholds: [0, 1, 2]}", "detector.thresholds", "0.0 to 1.0"),
    ("detector: {kind: mtcnn, factor: 1}", "detector.factor", "0.1 to 0.98"),
    ("detector: {kind: mtcnn, minFace: 0}", "detector.minFace", "4.0 to 10000.0"),
    ("faces: {choose: beauty}", "faces.choose", "score, size"),
    ("crop: {margin: -1}", "crop.margin", "0.0 to 2.0"),
    ("people: {verdict: loudest}", "people.verdict", "highest, largest, mean, together"),
    ("people: {minFrames: 0}", "people.minFrames", "1 to 1000"),
    ("people: {minShare: 1.5}", "people.minShare", "0.0 to 1.0"),
    ("aggregation: {frames: average}", "aggregation.frames", "mean-logit"),
    ("aggregation: {clip: [0.9, 0.1]}", "aggregation.clip", "lower than"),
    ("aggregation: {clip: 0.5}", "aggregation.clip", "list of 2 numbers"),
    ("aggregation: {calibration: {offset: 1}}", "aggregation.calibration.scale", "is missing"),
    ("aggregation: {calibration: {scale: nan}}", "aggregation.calibration.scale", "a number from"),
    ("aggregation: {calibration: {scale: 0}}", "aggregation.calibration.scale", "is '0'"),
    (
      "aggregation: {calibration: {scale: 1, offset: 1e9}}", "aggregation.calibration.offset",
      "-1000.0 to 1000.0"
    ),
    (
      "aggregation: {calibration: {scale: 1, slope: 1}}", "aggregation.calibration.slope",
      "known here: scale, offset"
    ),
    ("aggregation: {calibration: 1}", "aggregation.calibration", "mapping"),
    ("verdict: {undecided: [0.6, 0.7]}", "verdict.undecided", "range around 0.5"),
    ("verdict: {undecided: [0.6, 0.4]}", "verdict.undecided", "range around 0.5"),
    ("verdict: {unfamiliar: maybe}", "verdict.unfamiliar", "one of refuse, note, ignore"),
    ("verdict: {undecided: 0.5}", "verdict.undecided", "list of 2 numbers"),
    ("verdict: {undecided: [-1, 0.7]}", "verdict.undecided", "0.0 to 1.0"),
    ("verdict: fake", "verdict", "mapping"),
    ("training: {flip: true}", "training.flip", "known here: epochs, batchSize"),
  ])
  func mistakesNameThePlaceAndWhatIsAllowed(_ line: String, _ key: String, _ hint: String) throws {
    let found = try #require(error(Self.minimal + "\n" + line))
    #expect(found.file == "r.yaml")
    #expect(found.key == key)
    #expect(found.problem.contains(hint), "\(found)")
  }

  @Test(arguments: [
    ("- name: a", "members[0].architecture", "efficientnet-b0"),
    ("- {name: a, architecture: vgg}", "members[0].architecture", "xception"),
    ("- {name: a b, architecture: xception}", "members[0].name", "letters"),
    ("- {name: ../a, architecture: xception}", "members[0].name", "is '../a'; must be"),
    ("- {name: .a, architecture: xception}", "members[0].name", "letters"),
    ("- {name: a, architecture: xception, groups: 8}", "members[0].groups", "norm: group"),
    ("- {name: a, architecture: xception, size: 5000}", "members[0].size", "32 to 4096"),
    ("- {name: a, architecture: xception, mean: [1, 2]}", "members[0].mean", "3 numbers"),
    (
      "- {name: a, architecture: xception}\n- {name: a, architecture: xception}",
      "members[1].name", "name of another member"
    ),
    ("- 3", "members[0]", "mapping"),
    ("[]", "members", "at least one"),
    ("xception", "members", "list"),
  ])
  func mistakesInMembersToo(_ members: String, _ key: String, _ hint: String) throws {
    let indented = members.replacing("\n", with: "\n  ")
    let found = try #require(error("name: x\nmembers:\n  \(indented)"))
    #expect(found.key == key)
    #expect(found.problem.contains(hint), "\(found)")
  }

  @Test(arguments: [
    "", "- just\n- a list", "just text", "name: [unclosed", "name: x", "members: []\n", "\t: {",
    "? {a: b}\n: c",
  ])
  func whatIsNoRecipeIsRefused(_ text: String) {
    #expect(error(text) != nil)
  }

  @Test func aliasesAreRefusedBeforeTheyCanMultiply() throws {
    var bomb = "a: &a [x, x]\n"
    for (previous, name) in zip("abcdefghijklmnopqrstuvw", "bcdefghijklmnopqrstuvwx") {
      bomb += "\(name): &\(name) [*\(previous), *\(previous)]\n"
    }
    let found = try #require(error(bomb))
    #expect(found.problem.contains("anchors"))
    #expect(error("name: x\nmembers: *m")?.problem.contains("anchors") == true)
    // In text, the signs mean nothing.
    let fine = Self.minimal + "\ndescription: R&D * 2 & more\n"
    #expect(try Recipe(yaml: fine, file: "r.yaml").description == "R&D * 2 & more")
  }

  @Test func deepAndLargeTextIsRefused() throws {
    let nested = String(repeating: "[", count: 30_000)
    #expect(error("name: \(nested)")?.problem.contains("brackets") == true)
    let dashes = String(repeating: "- ", count: 20_000)
    #expect(error(dashes)?.problem.contains("longer than") == true)
    let long = Self.minimal + String(repeating: "\n# filler", count: 20_000)
    #expect(error(long)?.problem.contains("larger than 64 KB") == true)
  }

  @Test func theParsersMessagesQuoteNothing() throws {
    #expect(
      error(Self.minimal + "\nframes: 2\nframes: 3")?.problem
        == "not valid YAML: 'frames' given more than once")
    let zeros = try #require(error(String(repeating: "\0", count: 500)))
    #expect(zeros.problem == "not valid YAML: control characters are not allowed")
    let brackets = try #require(error(String(repeating: "{", count: 400)))
    #expect(brackets.problem.count < 100)
    #expect(brackets.problem.contains("line "))
  }

  @Test func damagedRecipesNeverCrash() throws {
    let text = try #require(Recipe.builtInText("dfdc-silver"))
    let bytes = Array(text.utf8)
    var generator = SeededGenerator(seed: 5)
    var refused = 0
    for _ in 0..<400 {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        damaged[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(
          in: 0...255, using: &generator)
      }
      damaged.removeLast(Int.random(in: 0..<bytes.count, using: &generator) / 2)
      if error(String(decoding: damaged, as: UTF8.self)) != nil { refused += 1 }
    }
    #expect(refused > 100)
  }

  @Test func filesAreReadAndNamedInErrors() throws {
    try Paths.withTemporaryFolder { folder in
      let good = folder.appendingPathComponent("good.yaml")
      try Data(Self.minimal.utf8).write(to: good)
      #expect(try Recipe.named(good.path).name == "tiny")
      #expect(try Recipe.text(named: good.path) == Self.minimal)

      let binary = folder.appendingPathComponent("binary.yaml")
      try Data([0xFF, 0xFE, 0x00]).write(to: binary)
      #expect(throws: RecipeError(file: binary.path, problem: "is not UTF-8 text")) {
        try Recipe.named(binary.path)
      }
      let missing = folder.appendingPathComponent("missing.yaml").path
      let found = #expect(throws: RecipeError.self) { try Recipe.named(missing) }
      #expect(found?.description.contains("dfdc-silver") == true)
      let directory = #expect(throws: RecipeError.self) { try Recipe(contentsOf: folder) }
      #expect(directory?.problem == "cannot be read: it is a folder")

      // As some editors on Windows write it.
      try Data(("\u{FEFF}" + Self.minimal).utf8).write(to: good)
      #expect(try Recipe.named(good.path).name == "tiny")
    }
  }
}
