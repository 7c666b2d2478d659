import DFKit
import Foundation
import Settings
import TestSupport
import Testing

/// What follows from each setting's one description.
@Suite struct SettingTests {
  private static let minimal = """
    name: tiny
    members:
      - name: only
        architecture: efficientnet-b0
    """

  private func recipe(_ lines: String) throws -> Recipe {
    try Recipe(yaml: Self.minimal + "\n" + lines, file: "r.yaml")
  }

  private func training(_ lines: String) throws -> TrainingOptions {
    try #require(try recipe("training:\n  " + lines).training)
  }

  @Test func everySettingSaysWhatItIsFor() throws {
    for prefix in ["", "members.", "training."] {
      let rows =
        switch prefix {
        case "": Recipe(name: "", members: []).reference(apart: ["training"])
        case "members.":
          Recipe.Member(name: "", architecture: .xception).reference(apart: ["training"])
        default: TrainingOptions().reference()
        }
      #expect(rows.count > 15)
      for row in rows {
        #expect(row.setting.help.hasSuffix("."), "\(row.key)")
        #expect(Recipe.setting(prefix + row.key) != nil, "\(row.key)")
      }
    }
    let early = try #require(Recipe.setting("training.earlyStop"))
    #expect(early.limits == "1 to 100000" && early.value == .text("none"))
    #expect(Recipe.setting("training.earlyStops") == nil)
  }

  @Test func theReferenceSaysWhatAKeyIsForAndWhatHoldsWithoutIt() throws {
    let lines = Set(Recipe.reference.split(separator: "\n").map(String.init))
    for line in [
      "| `frames` | a whole number from 1 to 1000. The number of frames to analyse, spread evenly"
        + " over the decoded frames of a video. | 25 |",
      "| `schedule.every` | `step`: a whole number from 1 to 100000. The number of epochs between"
        + " two decreases. | 5 |",
      "| `schedule.minRate` | `plateau`, `cosine`: a number from 0 to 10. The lowest learning rate."
        + " | 0 |",
      "| `optimizer.nesterov` | `sgd`: `true` or `false`. Whether to use Nesterov momentum."
        + " | false |",
      "| `size` | a whole number from 32 to 4096. The side of the square input, in pixels."
        + " If absent: from the file's metadata, or the default of the scheme. | absent |",
      "| `training` | The settings of `dfkit train` for all members; `predict` does not use them."
        + " | absent |",
      "| `swa` | Stochastic weight averaging: the mean of the weights after several epochs. The"
        + " mean is validated and saved. | none |",
      "| `swa.from` | a whole number from 1 to 100000. The first epoch whose weights are averaged."
        + " | needed |",
    ] {
      #expect(lines.contains(line), "\(line)")
    }
    // Other tests of this process may have registered detectors of their own, which share a limit.
    for (start, rest) in [
      ("| `detector.minFace` | `retinaface`", ": a number from 0 to 10000."),
      ("| `detector.minFace` | `mtcnn`", ": a number from 4 to 10000."),
      ("| `fakes.share` |", ""), ("| `aggregation.calibration.scale` |", ""),
    ] {
      let found = lines.first { $0.hasPrefix(start) }
      #expect(found.map { rest.isEmpty || $0.contains(rest) } == true, "\(start)")
    }
  }

  @Test(arguments: [
    ("earlyStop", "earlyStop: is '200000'; must be a whole number from 1 to 100000, or none"),
    ("freeze", "freeze: is ["), ("warmUp", "schedule.warmUp: is '-1.0'"),
    ("parts", "fakes.parts: is []; must be a list of some of face"),
    ("nesterov", "optimizer.nesterov: needs a momentum above 0"), ("swa", "swa.from: is '0'"),
  ])
  func whatNoRecipeCouldHoldIsRefusedInCode(_ change: String, _ problem: String) {
    var options = TrainingOptions()
    #expect(options.problem == nil)
    switch change {
    case "earlyStop": options.earlyStop = 200_000
    case "freeze": options.freeze = (1...65).map { "blocks.\($0)" }
    case "warmUp": options.schedule.warmUp = -1
    case "parts":
      options.fakes = FakeOptions()
      options.fakes?.blending.parts = []
    case "nesterov": options.optimizer.kind = .sgd(momentum: 0, nesterov: true)
    default: options.swa = .init(from: 0)
    }
    #expect(options.problem?.hasPrefix(problem) == true, "\(options.problem ?? "")")
  }

  @Test func theRestOfARecipeIsCheckedToo() throws {
    var recipe = try Recipe.named("default")
    #expect(recipe.problem == nil)
    recipe.members[1].size = 7
    #expect(
      recipe.problem == "members[1].size: is '7'; must be a whole number from 32 to 4096")
    recipe = try Recipe.named("default")
    recipe.aggregation.frames = .trimmedMean(fraction: 0.7)
    #expect(recipe.problem?.hasPrefix("aggregation.frames: is 'trimmed-mean:0.7'") == true)
    recipe = try Recipe.named("default")
    recipe.members[2].name = recipe.members[0].name
    #expect(recipe.problem == "members[2].name: 'lite0-160' is the name of another member, too")
  }

  @Test func aRunThatCouldNotBeResumedDoesNotBegin() throws {
    try Paths.withTemporaryFolder { folder in
      var lines = ["path,label"]
      for index in 0..<4 {
        let image = Image(width: 8, height: 8, pixels: Array(repeating: UInt8(index), count: 192))
        try ImageFile.write(image, to: folder.appendingPathComponent("\(index).png"))
        lines.append("\(index).png,\(index % 2)")
      }
      let data = folder.appendingPathComponent("data.csv")
      try Data(lines.joined(separator: "\n").utf8).write(to: data)
      let recipe = try Recipe(yaml: Self.minimal, file: "r.yaml")
      var job = TrainingJob(
        recipe: recipe, member: recipe.members[0], data: [data],
        folder: RunFolder(folder.appendingPathComponent("b0")))
      job.options.holdOut = 0
      job.member.size = 32
      let own = try job.plan().recipe
      #expect(own.name == "b0" && own.members.map(\.name) == ["only"])
      job.folder = RunFolder(folder.appendingPathComponent("my run"))
      #expect(try job.plan().recipe.name == "tiny-only")
      job.options.earlyStop = 200_000
      let error = #expect(throws: RecipeError.self) { try job.plan() }
      #expect(error?.key == "members[0].training.earlyStop")
    }
  }

  @Test func aRecipeNamesWeightsOfItsOwn() throws {
    try Paths.withTemporaryFolder { folder in
      func write(_ weights: String, detector: String = "{}") throws -> Recipe {
        let file = folder.appendingPathComponent("mine.yaml")
        let text = Self.minimal + "\n    weights: \(weights)\ndetector: \(detector)\n"
        try Data(text.utf8).write(to: file)
        return try Recipe(contentsOf: file)
      }
      let path = folder.appendingPathComponent("b0.safetensors").standardizedFileURL.path
      var recipe = try write("b0.safetensors")
      #expect(recipe.members[0].weights == path)
      // What is written reads back as the same, wherever it is read.
      #expect(try Recipe(yaml: recipe.yaml, file: "again") == recipe)
      let missing = #expect(throws: MemberFilesError.self) {
        try MemberFiles([], members: recipe.members)
      }
      #expect(missing == .ownMissing("only", file: path))
      #expect(missing?.description.contains("--weights only=FILE") == true)

      try Data().write(to: URL(fileURLWithPath: path))
      let own = try MemberFiles([], members: recipe.members)
      #expect(own.entries.map(\.weights.file?.path) == [path] && !own.replacesNamed)
      #expect(try !MemberFiles(["only=\(path)"], members: recipe.members).replacesNamed)
      // The command line comes first.
      let given = try MemberFiles(["only=default"], members: recipe.members)
      #expect(given.entries.map(\.weights.file) == [nil] && given.replacesNamed)

      // A name that ships is no file's, unless it is written as a path.
      try Data().write(to: folder.appendingPathComponent("default"))
      recipe = try write("default")
      #expect(try MemberFiles([], members: recipe.members).entries[0].weights.file == nil)
      recipe = try write("./default")
      #expect(
        try MemberFiles([], members: recipe.members).entries[0].weights.file?.lastPathComponent
          == "default")

      // Nothing but files and folders is opened, and nothing is fetched.
      recipe = try write("https://example.org/b0.safetensors")
      #expect(throws: MemberFilesError.self) { try MemberFiles([], members: recipe.members) }
      let device = try write("/dev/zero")
      #expect(throws: MemberFilesError.self) { try MemberFiles([], members: device.members) }

      let detector = try write("default", detector: "{weights: sub/face.onnx}").detector
      let file = folder.appendingPathComponent("sub/face.onnx").standardizedFileURL
      let error = #expect(throws: WeightsStoreError.self) { try detector.choice(in: nil) }
      #expect(error?.description.contains("sub/face.onnx") == true)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data().write(to: file)
      let choice = try detector.choice(in: nil)
      #expect(choice.origin == .named && choice.weights.file?.path == file.path)
    }
  }

  @Test func aSettingIsChangedByItsKey() throws {
    var recipe = try Recipe.named("default")
    try recipe.set("training.optimizer.learningRate", .text("0.5"))
    #expect(recipe.training?.optimizer.learningRate == 0.5)
    try recipe.set("aggregation.clip", .text("none"))
    #expect(recipe.aggregation.clip == nil)
    #expect(try Recipe(yaml: recipe.yaml, file: "again") == recipe)
    let before = recipe
    for (key, value) in [("frames", "0"), ("detector.factor", "0.5"), ("frame", "3")] {
      #expect(throws: SettingError.self) { try recipe.set(key, .text(value)) }
    }
    #expect(recipe == before)
  }

  @Test func whatTwoKindsShareIsKept() throws {
    let recipe = try Recipe(
      yaml: """
        name: two
        training:
          schedule: {kind: plateau, factor: 0.3, patience: 9, minRate: 0.001}
          optimizer: {kind: adam, betas: [0.8, 0.9]}
        members:
          - name: a
            architecture: xception
            training: {schedule: {kind: step}, optimizer: {kind: adamw, epsilon: 0.5}}
          - name: b
            architecture: xception
            training: {schedule: {kind: cosine}, optimizer: {kind: sgd}}
        """, file: "r.yaml")
    let (a, b) = (recipe.training(of: recipe.members[0]), recipe.training(of: recipe.members[1]))
    #expect(a.schedule.kind == .step(factor: 0.3))
    #expect(a.optimizer.kind == .adamw(betas: AdamBetas(mean: 0.8, square: 0.9), epsilon: 0.5))
    #expect(b.schedule.kind == .cosine(minRate: 0.001) && b.optimizer.kind == .sgd())
  }

  @Test func whatARunMustKeepHasTheTextsItHad() throws {
    var options = TrainingOptions()
    options.optimizer.layerDecay = 0.5
    options.schedule.kind = .cosine(minRate: 1e-6)
    options.augmentation = Augmentation([
      .init(HorizontalFlip(), probability: 0.5),
      .init(OneOf([.init(GaussianBlur(sigma: 1...2))])),
      .init(JPEGCompression(quality: 30...95)),
    ])
    options.swa = .init(from: 3)
    let expected = [
      "epochs: 20", "batchSize: 20", "accumulate: 1", "seed: 1", "optimizer.kind: adam",
      "optimizer.learningRate: 0.001", "optimizer.weightDecay: 0.0", "optimizer.layerDecay: 0.5",
      "optimizer.betas: [0.9, 0.999]", "optimizer.epsilon: 1e-08", "optimizer.sam: none",
      "schedule.kind: cosine", "schedule.minRate: 1e-06", "schedule.warmUp: 0.0",
      "loss.kind: bce", "loss.labelSmoothing: 0.0", "loss.fakeWeight: none",
      "augmentation: [horizontalFlip(probability: 0.5),"
        + " oneOf(probability: 1.0, steps: [blur(probability: 1.0, sigma: [1.0, 2.0])]),"
        + " jpeg(probability: 1.0, quality: [30, 95])]",
      "fakes: none", "sampling: shuffled", "holdOut: 0.2", "clip: none", "ema: none",
      "swa.from: 3", "earlyStop: none", "freeze: []", "recompute: false", "validationEpochs: 0",
    ]
    #expect(options.entries.map { "\($0.key): \($0.value.text)" } == expected)
  }

  @Test func aMappingChangesStepsOfTheAugmentation() throws {
    let recipe = try Recipe(
      yaml: """
        name: two
        training:
          augmentation:
            - jpeg: {quality: [30, 95], probability: 0.5}
            - noise
            - grey: {probability: 0.1}
        members:
          - name: a
            architecture: xception
            training:
              augmentation:
                jpeg: {quality: [20, 60]}
                noise: none
                gamma:
                mixup: {alpha: 0.4}
          - name: b
            architecture: xception
            training: {augmentation: {mixup: {}, grey: {}}}
        """, file: "r.yaml")
    let (a, b) = (recipe.training(of: recipe.members[0]), recipe.training(of: recipe.members[1]))
    #expect(
      a.augmentation
        == Augmentation(
          [
            .init(JPEGCompression(quality: 20...60), probability: 0.5),
            .init(Greyscale(), probability: 0.1), .init(Gamma()),
          ], mixup: Mixup(alpha: 0.4)))
    var expected = try #require(recipe.training).augmentation
    expected.mixup = Mixup()
    #expect(b.augmentation == expected)
    #expect(try Recipe(yaml: recipe.yaml, file: "again") == recipe)
    let twice = #expect(throws: RecipeError.self) {
      try Recipe(
        yaml: """
          name: two
          training: {augmentation: [grey, grey]}
          members:
            - name: a
              architecture: xception
              training: {augmentation: {grey: none}}
          """, file: "r.yaml")
    }
    #expect(twice?.key == "members[0].training.augmentation.grey")
    #expect(twice?.problem.contains("is in the list 2 times") == true)
    for (change, key) in [("grey: none", "grey"), ("flip: none", "flip")] {
      let error = #expect(throws: RecipeError.self) {
        try training("augmentation: {\(change)}")
      }
      #expect(error?.key == "training.augmentation.\(key)")
    }
  }

  /// The three lists as they were when each was written out.
  @Test func theDefaultMembersAreTrainedAsTheirListsSay() throws {
    let recipe = try Recipe.named("default")
    func list(_ framing: String, _ oneOf: String, _ jpeg: String) throws -> Augmentation {
      try training(
        """
        augmentation:
            - framing: {length: \(framing)}
            - horizontalFlip: {probability: 0.5}
            - rotation: {degrees: 12, probability: 0.5, edges: replicate}
            - shiftScale: {shift: 0.05, scale: [0.95, 1.05], probability: 0.7, edges: replicate}
            - brightnessContrast: {contrast: 0.25, probability: 0.5}
            - hueSaturationValue: {hue: 12, probability: 0.4}
            - gamma: {probability: 0.2}
            - grey: {probability: 0.05}
            - oneOf: {\(oneOf)}
            - noise: {probability: 0.2}
            - jpeg: {\(jpeg)}
            - cutout: {probability: 0.2}
        """
      ).augmentation
    }
    let usual = "steps: [blur, motionBlur, downscale], probability: 0.35"
    let jpeg = "quality: [30, 95], probability: 0.5"
    let expected = [
      try list("[0.32, 0.48]", usual, jpeg),
      try list(
        "[0.32, 0.48]",
        "steps: [blur, motionBlur, {downscale: {factor: [0.25, 0.6]}}], probability: 0.45",
        "quality: [25, 95], probability: 0.6"), try list("[0.28, 0.44]", usual, jpeg),
    ]
    #expect(recipe.members.map { recipe.training(of: $0).augmentation } == expected)
  }
}
