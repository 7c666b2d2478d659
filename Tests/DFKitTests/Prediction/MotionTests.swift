import DFKit
import Foundation
import TestSupport
import Testing

/// A classifier whose log odds are the mean of the absolute difference to the later crop.
struct MotionMeter: FrameClassifier {
  var input = InputSpec(
    size: 16, mean: [0, 0, 0], std: [1, 1, 1], difference: .init(seconds: 0.2, channels: .rgb))
  let classCount = 1
  let batchSize = 4

  func logits(_ batch: Tensor) -> Tensor {
    batch.slice(axis: 3, 3..<6).abs().mean(axes: [1, 2, 3]).reshaped([batch.shape[0], 1])
  }

  /// The score of a crop with its later one.
  func score(_ crop: MotionCrop) -> Float {
    let logit = logits(input.prepare([crop])).scalars[0]
    return 1 / (1 + Float(exp(-Double(logit))))
  }
}

/// Prediction by the difference to a later frame.
@Suite struct MotionTests {
  /// A video in which a patterned patch moves to the right.
  private func withVideo<R>(
    rate: Double = 25, speed: Double = 40, frames: Int = 30, _ body: (URL) throws -> R
  ) throws -> R {
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("moving.mp4")
      let writer = try VideoWriter(url, width: 160, height: 96, frameRate: rate)
      for index in 0..<frames {
        var image = Image.plain(160, 96, grey: 90)
        let x = 10 + Int((speed * Double(index) / rate).rounded())
        image.fillRectangle(x: x, y: 20, width: 50, height: 50, color: .red)
        image.fillRectangle(x: x + 12, y: 32, width: 8, height: 8, color: .white)
        image.fillRectangle(x: x + 30, y: 32, width: 8, height: 8, color: .black)
        try writer.append(image)
      }
      try writer.finish()
      return try body(url)
    }
  }

  private func face(_ index: Int) -> Face {
    // The box jumps from frame to frame, as a detector's does.
    let (x, y) = (Float(20 + index % 3 * 4), Float(18 + index % 2 * 3))
    return Face(
      box: Box(x1: x, y1: y, x2: x + 48, y2: y + 48), score: 0.9,
      landmarks: [
        Point(x: x + 14, y: y + 16), Point(x: x + 34, y: y + 16), Point(x: x + 24, y: y + 26),
        Point(x: x + 17, y: y + 36), Point(x: x + 31, y: y + 36),
      ])
  }

  private func predictor(
    _ scorers: [any FaceScorer], shape: Recipe.Crop.Shape = .square
  ) -> VideoPredictor {
    var recipe = Recipe(
      name: "test",
      members: scorers.indices.map { .init(name: "m\($0)", architecture: .efficientNetB0) })
    recipe.frames = 5
    recipe.people.verdict = .together
    recipe.crop.shape = shape
    return VideoPredictor(
      recipe: recipe, detector: ScriptedDetector { index, _ in [face(index)] },
      ensemble: Ensemble(scorers.enumerated().map { .init("m\($0.offset)", $0.element) }))
  }

  @Test(arguments: Recipe.Crop.Shape.allCases)
  func bothCropsAreCutByTheSameBox(_ shape: Recipe.Crop.Shape) throws {
    try withVideo { url in
      let meter = MotionMeter()
      let predictor = predictor([meter, RuleScorer { _ in 0.25 }], shape: shape)
      let report = try predictor.predict(url)
      var expected: [Float] = []
      var times: [Double] = []
      try Video(url).evenlySpacedFrames(5, withLaterBy: 0.2) { first, later in
        let face = face(expected.count)
        let cut = { predictor.crop.cut(face, from: $0) }
        expected.append(
          meter.score(
            MotionCrop(cut(first.image), later: cut(try #require(later).image))))
        times.append(first.time)
      }
      #expect(report.scores.faces.map(\.time) == times)
      expectClose(report.scores.faces.map { $0.scores[0] }, expected, tolerance: 1e-6)
      #expect(report.scores.faces.allSatisfy { $0.scores[0] > 0.505 && $0.scores[1] == 0.25 })
      #expect(report.warnings.isEmpty)
    }
  }

  @Test func jumpingBoxesAreNoMotion() throws {
    try withVideo(speed: 0) { url in
      let report = try predictor([MotionMeter()]).predict(url)
      // What is left is the noise of the codec.
      #expect(report.scores.faces.allSatisfy { $0.scores[0] < 0.501 })
    }
  }

  @Test func theSameMotionCountsAlikeAtAnyRate() throws {
    let means = try [25.0, 60].map { rate in
      try withVideo(rate: rate, frames: Int(rate * 1.2)) { url in
        let scores = try predictor([MotionMeter()]).predict(url).scores.faces.map { $0.scores[0] }
        return scores.reduce(0, +) / Float(scores.count)
      }
    }
    // By the frame number, the faster video would show 5 / 12 of the motion.
    #expect(abs(means[0] - means[1]) < 0.25 * (means[0] - 0.5), "\(means)")
  }

  @Test func picturesAreJudgedWithoutMotion() throws {
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("photo.png")
      try ImageFile.write(.plain(160, 96), to: url)
      let report = try predictor([MotionMeter()]).predict(url)
      #expect(report.scores.faces.map { $0.scores } == [[0.5]])
      #expect(report.warnings.contains { $0.hasPrefix("judged without motion") })
      // Nothing is said where no member needs motion.
      let plain = try predictor([RuleScorer { _ in 0.25 }]).predict(url)
      #expect(!plain.warnings.contains { $0.contains("motion") })
    }
    // A video that is too short for the difference.
    try withVideo(frames: 3) { url in
      let report = try predictor([MotionMeter()]).predict(url)
      #expect(report.frames == 3)
      #expect(report.warnings.contains { $0.hasPrefix("judged without motion") })
    }
  }

  @Test func viewsAndDegradationsChangeBothCrops() throws {
    try withVideo { url in
      // The detector's boxes jump on from call to call, so each prediction needs a new one.
      let plain = try predictor([MotionMeter()]).predict(url).scores.faces.map { $0.scores[0] }
      var predictor = predictor([MotionMeter()])
      predictor.view = .flipped
      expectClose(
        try predictor.predict(url).scores.faces.map { $0.scores[0] }, plain, tolerance: 2e-3)
      predictor.view = .plain
      // A frame of one colour does not move, whichever of the two it is.
      predictor.retouch = { image, _ in .plain(image.width, image.height) }
      #expect(try predictor.predict(url).scores.faces.allSatisfy { $0.scores[0] == 0.5 })
      // The later frame has a number of its own.
      predictor.retouch = { image, index in
        .plain(image.width, image.height, grey: UInt8(50 + index))
      }
      let moved = try predictor.predict(url).scores.faces.map { $0.scores[0] }
      let expected = 1 / (1 + exp(-5.0 / 255))
      expectClose(moved, moved.map { _ in Float(expected) }, tolerance: 1e-6)
    }
  }

  @Test func membersOfTwoTimesAreRefused() throws {
    var other = MotionMeter()
    other.input.difference?.seconds = 0.1
    let predictor = predictor([MotionMeter(), other])
    try withVideo { url in
      let error = #expect(throws: ClassifierError.self) { try predictor.predict(url) }
      #expect(error?.description.contains("need the same time") == true)
    }
    var same = MotionMeter()
    same.input.size = 24
    #expect(try self.predictor([MotionMeter(), same]).members.difference() == 0.2)
  }

  @Test func storedPairsShrinkTogether() {
    var store = CropStore(budget: 4 * 200 * 200 * 3)
    for _ in 0..<3 {
      store.add(MotionCrop(.plain(400, 300, grey: 1), later: .plain(400, 300, grey: 2)))
      store.add(.plain(300, 300))
    }
    for crop in store.motionCrops {
      #expect(max(crop.image.width, crop.image.height) <= 256)
      if let later = crop.later {
        #expect(later.width == crop.image.width && later.height == crop.image.height)
        #expect(later[0, 0] == (2, 2, 2))
      }
    }
    #expect(store.motionCrops.count == 6 && store.motionCrops.count { $0.later == nil } == 3)
  }

  @Test func regionsAreBlurredInBothCrops() throws {
    var pictures: [Image] = []
    for phase in 0..<2 {
      var image = Image.plain(100, 100, grey: 100)
      // The eyes move, and nothing else.
      image.fillRectangle(x: 25 + 4 * phase, y: 32, width: 12, height: 8, color: .black)
      image.fillRectangle(x: 62 + 4 * phase, y: 32, width: 12, height: 8, color: .black)
      pictures.append(image)
    }
    let landmarks = [
      Point(x: 31, y: 36), Point(x: 68, y: 36), Point(x: 50, y: 56), Point(x: 36, y: 74),
      Point(x: 64, y: 74),
    ]
    var meter = MotionMeter()
    meter.input.size = 100
    let findings = try #require(
      RegionOcclusion(meter)(
        MotionCrop(pictures[0], later: pictures[1]), landmarks: landmarks))
    #expect(findings.first?.region == .eyes)
    #expect((findings.first?.weight ?? 0) > 0)
  }
}
