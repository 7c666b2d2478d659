import DFKit
import Foundation
import TestSupport
import Testing

/// Recipes whose members read the difference to a later frame, and the jobs that use them.
@Suite(.serialized) struct DifferenceRecipeTests {
  private func yaml(_ inputs: [String], architecture: String = "efficientnet-lite0") -> String {
    "name: motion\nmembers:\n"
      + inputs.enumerated().map { index, input in
        "  - {name: m\(index), architecture: \(architecture), size: 32\(input)}\n"
      }.joined()
  }

  private func error(_ yaml: String) -> RecipeError? {
    do {
      _ = try Recipe(yaml: yaml, file: "r.yaml")
      return nil
    } catch {
      return error
    }
  }

  @Test func theSectionIsReadWrittenAndChecked() throws {
    let text = yaml([
      ", input: {difference: 0.04}", ", input: {difference: 0.04, channels: rgb}", "",
      ", input: {channels: luma}",
    ])
    let recipe = try Recipe(yaml: text, file: "r.yaml")
    #expect(recipe.members.map(\.difference) == [0.04, 0.04, nil, nil])
    #expect(recipe.members.map(\.differenceChannels) == [nil, .rgb, nil, .luma])
    #expect(try Recipe(yaml: recipe.yaml, file: "r.yaml") == recipe)
    // A recipe without the section is written without it.
    #expect(try !Recipe(yaml: yaml([""]), file: "r.yaml").yaml.contains("input"))
  }

  @Test(arguments: ["0", "-0.04", "nan", "inf", "2.5", "soon", "[0.1]", "1e-9"])
  func hostileTimesAreRefused(_ value: String) {
    let error = error(yaml([", input: {difference: \(value)}"]))
    #expect(error?.key == "members[0].input.difference", "\(value)")
  }

  @Test func contradictionsAreRefused() {
    #expect(error(yaml([", input: {channels: yuv}"]))?.key == "members[0].input.channels")
    #expect(error(yaml([", input: {delay: 1}"]))?.key == "members[0].input.delay")
    #expect(error(yaml([", input: 0.04"]))?.key == "members[0].input")
    let two = error(yaml([", input: {difference: 0.04}", "", ", input: {difference: 0.2}"]))
    #expect(two?.key == "members[2].input.difference")
    #expect(two?.description.contains("need the same time") == true)
  }

  /// Crops with later ones in a folder, and a manifest of them.
  private func withData(
    _ body: (_ folder: URL, _ data: URL) throws -> Void
  ) throws {
    try Paths.withTemporaryFolder { folder in
      var lines = ["path,label,video,time,later"]
      for index in 0..<8 {
        for (name, phase) in [("\(index).png", 0), ("\(index)b.png", 40)] {
          var image = Image.plain(40, 40, grey: UInt8(60 + 20 * index))
          image.fillRectangle(
            x: 5 + (index % 2) * phase / 4, y: 10, width: 12, height: 12, color: .white)
          try ImageFile.write(image, to: folder.appendingPathComponent(name))
        }
        let label = index % 2 == 0 ? "REAL" : "FAKE"
        lines.append("\(index).png,\(label),v\(index / 2 % 4)\(label),\(index),\(index)b.png")
      }
      let data = folder.appendingPathComponent("data.csv")
      try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: data)
      try body(folder, data)
    }
  }

  /// Writes weights of a small network whose input has a difference.
  private func writeWeights(_ file: URL, seconds: Float = 0.1) throws {
    var settings = ClassifierSettings(.efficientNetLite0)
    settings.input.size = 32
    settings.input.difference = .init(seconds: seconds)
    let network = settings.makeNetwork()
    network.store.initialize(seed: 1)
    var state = network.stateDict(settings.scheme, settings.architecture)
    state.metadata = settings.metadata.entries
    try state.write(safetensors: file)
  }

  @Test func aRunIsPlannedWithTheDifference() throws {
    try withData { folder, data in
      let recipe = try Recipe(
        yaml: yaml([", input: {difference: 0.1, channels: rgb}"]), file: "r.yaml")
      var job = TrainingJob(
        recipe: recipe, member: recipe.members[0], data: [data],
        folder: RunFolder(folder.appendingPathComponent("run")))
      job.options.holdOut = 0
      let plan = try job.plan()
      #expect(plan.trainer.network.input.difference == .init(seconds: 0.1, channels: .rgb))
      #expect(plan.recipe.members[0].difference == 0.1)
      #expect(plan.recipe.members[0].differenceChannels == .rgb)
      #expect(plan.trainer.network.metadata.difference == 0.1)
      #expect(plan.trainer.network.network.store["conv_stem.weight"]?.shape[2] == 6)

      // From weights of three channels, the first layer is adapted.
      let rgb = folder.appendingPathComponent("rgb.safetensors")
      let plain = ClassifierSettings(.efficientNetLite0).makeNetwork()
      plain.store.initialize(seed: 4)
      try plain.stateDict(.timm, .efficientNetLite0).write(safetensors: rgb)
      job.initialWeights = TrainingJob.InitialWeights(rgb)
      #expect(try job.plan().transfer?.adapted?.contains("from 3 to 6 channels") == true)

      // From weights with a difference, it is taken over.
      let four = folder.appendingPathComponent("four.safetensors")
      try writeWeights(four, seconds: 0.3)
      let silent = try Recipe(yaml: yaml([""]), file: "r.yaml")
      var next = TrainingJob(
        recipe: silent, member: silent.members[0], data: [data], folder: job.folder)
      next.options.holdOut = 0
      next.initialWeights = TrainingJob.InitialWeights(four)
      #expect(try next.plan().trainer.network.input.difference == .init(seconds: 0.3))

      next.initialWeights = nil
      next.member.differenceChannels = .luma
      let error = #expect(throws: TrainingError.self) { try next.plan() }
      #expect(error?.description.contains("but no difference") == true)
    }
  }

  @Test func jobsReadLaterCrops() throws {
    try withData { folder, data in
      let file = folder.appendingPathComponent("m0.safetensors")
      try writeWeights(file)
      let without = folder.appendingPathComponent("without.csv")
      let lines = try String(contentsOf: data, encoding: .utf8).split(separator: "\n")
      try Data(
        (lines.map { $0.split(separator: ",").dropLast().joined(separator: ",") }
          .joined(separator: "\n") + "\n").utf8
      ).write(to: without)
      let recipe = try Recipe(yaml: yaml([""]), file: "r.yaml")
      let weights = try MemberFiles([file.path], members: recipe.members)
      var job = EvaluationJob(recipe: recipe, weights: weights, detectorWeights: nil)
      job.cache = folder.appendingPathComponent("cache")
      let moving = try job.judge(SampleChoice([data]))
      let still = try job.judge(SampleChoice([without]))
      #expect(moving.failures.isEmpty && moving.known == 0)
      // Scores with and without later crops are kept apart.
      #expect(still.known == 0)
      #expect(try job.judge(SampleChoice([data])).known == moving.files.count)
      #expect(moving.files.allSatisfy { $0.report.warnings.isEmpty })
      #expect(
        still.files.allSatisfy { $0.report.warnings.contains { $0.contains("without motion") } })
      func scores(_ outcome: EvaluationJob.Outcome, _ label: FaceLabel) -> [[Float]] {
        outcome.files.filter { $0.label == label }
          .map { $0.report.scores.faces.map { $0.scores[0] } }
      }
      // Only the fakes move.
      #expect(scores(moving, .real) == scores(still, .real))
      #expect(scores(moving, .fake) != scores(still, .fake))
      // Another time is another key of the cache, even if the weights are the same.
      let caches = {
        try FileManager.default.contentsOfDirectory(atPath: job.cache?.path ?? "").count
      }
      #expect(try caches() == 1)
      var other = recipe
      other.members[0].difference = 0.2
      var later = EvaluationJob(
        recipe: other, weights: try MemberFiles([file.path], members: other.members),
        detectorWeights: nil)
      later.cache = job.cache
      #expect(try later.judge(SampleChoice([data])).known == 0)
      #expect(try caches() == 2)

      // Single pictures are classified with a remark.
      let classification = try ClassificationJob(recipe: recipe, weights: weights)
      #expect(classification.warning?.contains("judged without motion by m0") == true)
      let plain = ClassificationJob(classifier: MotionMeter())
      #expect(plain.warning != nil)

      // Calibration judges the same logits as the network of later crops gives.
      var calibration = CalibrationJob(weights: .file(file), samples: SampleChoice([data]))
      calibration.cache = nil
      let report = try calibration.run()
      #expect(report.settings?.input.difference == .init(seconds: 0.1))
      // Without motion, there is nothing to calibrate.
      let blind = CalibrationJob(weights: .file(file), samples: SampleChoice([without]))
      let error = #expect(throws: DatasetError.self) { try blind.run() }
      #expect(error?.description.contains("no sample has a later crop") == true)
    }
  }

  @Test func benchmarksMeasureSuchNetworks() throws {
    var settings = ClassifierSettings(.efficientNetLite0)
    settings.input.size = 32
    settings.input.difference = .init(seconds: 0.1, channels: .rgb)
    let benchmark = Benchmark(repeats: 1, warmUps: 0)
    #expect(try benchmark.classify(settings, batch: 2).batch == 2)
    #expect(try benchmark.train(settings, batch: 2).batch == 2)
  }
}
