import DeepfakeCore
import FaceData
import FaceDetect
import Foundation
import TestSupport
import Testing
import Training

/// The detector learns, goes on where it was stopped, and its files are detectors.
@Suite struct DetectorTrainingTests {
  private func faces(_ folder: URL) throws -> LabelledFaces {
    try LabelledFaces(FaceManifest.read(folder))
  }

  private func options(steps: Int = 4) -> DetectorTrainer.Options {
    var options = DetectorTrainer.Options()
    options.steps = steps
    options.batch = 2
    options.size = 64
    options.seed = 3
    return options
  }

  /// Trains to the end, or until `stop` says so.
  ///
  /// - Returns: the weights, and how each step went.
  @discardableResult
  private func train(
    _ faces: LabelledFaces, _ options: DetectorTrainer.Options, in folder: URL,
    from start: StateDict? = nil, resuming: Bool = false,
    stop: (TrainingEvent) -> Bool = { _ in false }
  ) throws -> (weights: StateDict, steps: [StepProgress]) {
    var trainer = DetectorTrainer(faces, options)
    trainer.checkpoints.steps = 1
    var steps: [StepProgress] = []
    let result = try trainer.run(from: start, in: RunFolder(folder), resuming: resuming) { event in
      if case .step(let progress) = event { steps.append(progress) }
      if stop(event) { throw TrainerTests.Stop() }
    }
    return (try StateDict.read(result.best), steps)
  }

  private func values(_ state: StateDict) throws -> [String: [Float]] {
    try Dictionary(
      uniqueKeysWithValues: state.keys.map { ($0, try #require(state[$0]).tensor().scalars) })
  }

  @Test func twoScenesAreLearnedAndFound() throws {
    let scenes = [(UInt64(1), 10, 6), (2, 22, 24)].map { seed, x, y in
      var image = Image(width: 128, height: 128) { $0.initialize(repeating: 70) }
      image.paste(DrawnHeads.picture(seed), x: x, y: y)
      let box = DrawnHeads.box
      return DetectionScene(
        image: image,
        faces: [
          Face(
            box: Box(
              x1: box.x1 + Float(x), y1: box.y1 + Float(y), x2: box.x2 + Float(x),
              y2: box.y2 + Float(y)), score: 1,
            landmarks: DrawnHeads.landmarks.map {
              Point(x: $0.x + Float(x), y: $0.y + Float(y))
            })
        ])
    }
    let store = ParameterStore()
    let network = PlainRetinaFace(.mobileNet, store.root)
    network.initialize(store, seed: 5)
    let images = Tensor(images: scenes.map(\.image), normalization: RetinaFace.normalization)
    var optimizer = AdamW(learningRate: 5e-3, groups: [])
    var losses: [Float] = []
    for step in 0..<70 {
      let context = TrainingContext(seed: 0, step: step)
      let (value, gradients) = valueAndGrad {
        MultiBoxLoss()(network(images, .training(context)), scenes: scenes).loss
      }
      losses.append(value)
      optimizer.step(store.parameters.filter { $0.role != .statistic }, gradients)
      for (key, statistic) in context.recorded { store[key]?.value = statistic }
    }
    #expect(losses[69] < losses[0] / 8, "\(losses[0]) became \(losses[69])")

    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("detector.safetensors")
      try store.stateDict().write(safetensors: file, dtype: .f16)
      let detector = try RetinaFace(weights: try StateDict.read(file))
      for (scene, found) in zip(scenes, try detector.detect(scenes.map(\.image))) {
        let face = try #require(found.first)
        #expect(face.box.intersectionOverUnion(with: scene.faces[0].box) > 0.6)
        #expect(face.score > 0.8)
        #expect(found.count == 1)
      }
    }
  }

  @Test func aStoppedRunEndsAsIfItHadNotBeenStopped() throws {
    try DrawnHeads.inFolder { folder in
      let faces = try faces(folder)
      let whole = try train(faces, options(), in: folder.appendingPathComponent("whole"))
      #expect(whole.steps.map(\.step) == [1, 2, 3, 4])

      let run = folder.appendingPathComponent("run")
      #expect(throws: TrainerTests.Stop.self) {
        try train(faces, options(), in: run) { event in
          if case .checkpoint(step: 2) = event { true } else { false }
        }
      }
      // Another seed is not the same run.
      var other = options()
      other.seed = 4
      do {
        try train(faces, other, in: run, resuming: true)
        Issue.record("a run of another seed went on")
      } catch TrainingError.changed(_, let differences) {
        #expect(differences.map(\.key) == ["seed"])
      }
      let rest = try train(faces, options(), in: run, resuming: true)
      #expect(rest.steps.map(\.step) == [3, 4])
      #expect(rest.steps.map(\.loss) == Array(whole.steps.map(\.loss)[2...]))
      #expect(try values(rest.weights) == values(whole.weights))

      try Data("no checkpoint".utf8).write(to: RunFolder(run).checkpoint)
      #expect(throws: TrainingError.self) { try train(faces, options(), in: run, resuming: true) }
    }
  }

  @Test func anEpochSaysWhatItsLossIsMadeOf() throws {
    try DrawnHeads.inFolder { folder in
      let run = folder.appendingPathComponent("run")
      let (_, steps) = try train(try faces(folder), options(), in: run)
      let table = try String(contentsOf: RunFolder(run).metrics, encoding: .utf8)
      let lines = table.split(separator: "\n").map {
        $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      }
      #expect(lines.count == 2)
      #expect(lines[0].suffix(4) == ["best", "classes", "boxes", "landmarks"])
      let numbers = lines[1].suffix(3).compactMap(Double.init)
      #expect(numbers.count == 3 && numbers.allSatisfy { $0 > 0 })
      // Boxes count twice, landmarks 0.4.
      let sum = numbers[0] + 2 * numbers[1] + 0.4 * numbers[2]
      let mean = steps.reduce(0) { $0 + $1.loss } / 4
      #expect(abs(sum - mean) < 1e-4 * mean, "\(sum), \(mean)")
      #expect(abs((Double(lines[1][6]) ?? 0) - mean) < 1e-5 * mean)
    }
  }

  @Test func resultsDoNotDependOnThreads() throws {
    try DrawnHeads.inFolder { folder in
      let faces = try faces(folder)
      let before = Parallel.threadCount
      defer { Parallel.threadCount = before }
      let results = try [1, 3].map { threads in
        Parallel.threadCount = threads
        let run = folder.appendingPathComponent("\(threads)")
        return try values(train(faces, options(steps: 2), in: run).weights)
      }
      #expect(results[0] == results[1])
    }
  }

  @Test func weightsSayWhatTheyAreAndCanBeStartedFrom() throws {
    try DrawnHeads.inFolder { folder in
      let faces = try faces(folder)
      let weights = try train(
        faces, options(steps: 2), in: folder.appendingPathComponent("a")
      ).weights
      #expect(try ModelMetadata(weights).architecture == "retinaface-mobilenet0.25")
      #expect(RetinaFaceBackbone(recognizing: weights) == .mobileNet)
      var slow = options(steps: 2)
      slow.learningRate = 1e-8
      slow.seed = 9
      let next = try train(
        faces, slow, in: folder.appendingPathComponent("b"), from: weights
      ).weights
      for key in weights.keys where !key.contains("running") && !key.contains("num_batches") {
        let (one, other) = (try #require(weights[key]), try #require(next[key]))
        expectClose(try other.tensor(), try one.tensor(), tolerance: 1e-3)
      }
      let foreign = StateDict(tensors: [.init("fc.weight", Tensor(zeros: [2, 2]))])
      #expect(throws: WeightsError.self) {
        try train(faces, options(), in: folder.appendingPathComponent("c"), from: foreign)
      }
    }
  }

  @Test func evaluationCountsFoundMissedAndImagined() throws {
    /// Says that there is a face in the middle of everything.
    struct Guess: FaceDetector {
      func detect(_ frames: [Image]) -> [[Face]] {
        frames.map { frame in
          let (width, height) = (Float(frame.width), Float(frame.height))
          let box = Box(x1: 0.1 * width, y1: 0.05 * height, x2: 0.9 * width, y2: 0.95 * height)
          return [Face(box: box, score: 0.8)]
        }
      }
    }
    try DrawnHeads.inFolder { folder in
      var evaluation = DetectorEvaluation()
      evaluation.scenes = 40
      evaluation.size = 96
      let faces = try faces(folder)
      let result = try evaluation.run(Guess(), faces: faces)
      #expect(result == (try evaluation.run(Guess(), faces: faces)))
      let found = result.all.found.count
      // Each face has a size, and at most one pose.
      #expect(result.groups[..<5].reduce(0) { $0 + $1.faces } == result.all.faces)
      #expect(result.groups[..<5].reduce(0) { $0 + $1.found.count } == found)
      #expect(result.groups[5..<9].reduce(0) { $0 + $1.faces } <= result.all.faces)
      #expect(found > 0)
      #expect(found == result.overlaps.count)
      #expect(result.falseAlarms.count > 0)
      #expect(found + result.falseAlarms.count <= 40)
      #expect(result.all.recall(threshold: 0.9) == 0)
      #expect(result.falseAlarms(threshold: 0.9) == 0)
      #expect(result.all.recall(threshold: 0.5) > 0)
    }
  }

  @Test func posesFollowFromLandmarks() {
    func pose(nose: Float, eyes: Float = 20, drop: Float = 0) -> FaceGroup? {
      FaceGroup.pose(of: [
        Point(x: 50 - eyes / 2, y: 40), Point(x: 50 + eyes / 2, y: 40 + drop),
        Point(x: nose, y: 55 + drop / 2), Point(x: 44, y: 65), Point(x: 56, y: 65),
      ])
    }
    #expect(pose(nose: 50) == .frontal)
    #expect(pose(nose: 52) == .frontal)
    #expect(pose(nose: 56) == .turned)
    #expect(pose(nose: 44) == .turned)
    #expect(pose(nose: 61) == .profile)
    #expect(pose(nose: 50, drop: 3) == .frontal)
    #expect(FaceGroup.pose(of: []) == nil)
    #expect(pose(nose: 50, eyes: 0) == nil)
    // A head that leans by 45 degrees: the nose lies below the eyes' middle at a right angle to
    // their line.
    let leaning = [(40, 40), (54, 54), (40, 55), (30, 60), (38, 68)].map { Point(x: $0.0, y: $0.1) }
    #expect(FaceGroup.pose(of: leaning) == .tilted)
  }

  @Test func groupsSayHowLargeAndHowDarkAFaceIs() {
    let picture = Image(width: 64, height: 64) { pixels in
      for place in 0..<(64 * 64 * 3) { pixels[place] = place < 32 * 64 * 3 ? 200 : 20 }
    }
    func groups(_ box: Box) -> [FaceGroup] {
      FaceGroup.groups(of: Face(box: box, score: 1), in: picture)
    }
    #expect(groups(Box(x1: 0, y1: 0, x2: 10, y2: 12)) == [.smallest])
    #expect(groups(Box(x1: 0, y1: 40, x2: 30, y2: 60)) == [.small, .dark])
    #expect(groups(Box(x1: -100, y1: 40, x2: 30, y2: 90)) == [.largest, .dark])
    #expect(groups(Box(x1: -100, y1: 40, x2: -30, y2: 90)) == [.large])
  }
}
