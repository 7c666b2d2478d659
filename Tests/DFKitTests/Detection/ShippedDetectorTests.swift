import DFKit
import Foundation
import TestSupport
import Testing

/// The detector that ships.
@Suite struct ShippedDetectorTests {
  @Test func itIsSmallAndUsedWhereNothingElseIs() throws {
    let weights = try #require(Recipe.Detector.Kind.retinaface.shippedWeights)
    #expect(weights.name == "face-detector")
    #expect(weights.bytes.count < 1_000_000)
    let state = try weights.read()
    #expect(state.keys.allSatisfy { state[$0]?.dtype == .f16 })
    try Paths.withTemporaryFolder { folder in
      let found = try Recipe.Detector().choice(in: WeightsStore(folder: folder))
      #expect(found.weights == .shipped(weights))
    }
  }

  @Test func itFindsTheFaceOfTheSampleVideo() throws {
    let weights = try #require(ShippedWeights.named("face-detector"))
    var settings = Recipe.Detector()
    settings.frameScale = 1
    let job = DetectionJob(detector: try settings.load(.shipped(weights)), frames: .spread(8))
    let sample = Paths.package.appendingPathComponent("Examples/sample.mp4")
    var frames = 0
    var found = 0
    _ = try job.run(MediaFiles.expand([sample.path], kinds: [.video])) { report in
      for frame in report.frames {
        frames += 1
        guard let face = frame.faces.first?.face else { continue }
        found += 1
        let box = face.box.clipped(width: frame.width, height: frame.height)
        #expect(face.box.intersectionOverUnion(with: box) > 0.7)
        #expect(face.landmarks.count == 5)
      }
    }
    #expect(frames == 8)
    #expect(found >= 7)
  }

  @Test func scoresAreShiftedToAHalf() throws {
    let weights = try #require(ShippedWeights.named("face-detector"))
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("shifted.safetensors")
      try DetectorEvaluationJob.write(.shipped(weights), threshold: 0.8, to: file)
      var pixels = Image(width: 96, height: 96) { $0.initialize(repeating: 30) }
      pixels.drawDisc(x: 48, y: 48, radius: 30, color: Color(red: 220, green: 170, blue: 140))
      let frames = Tensor(images: [pixels], normalization: RetinaFace.normalization)
      let before = try RetinaFace(weights: weights.read()).outputs(frames)
      let after = try RetinaFace(weights: StateDict.read(file)).outputs(frames)
      let shift = Float(log(4.0))
      let expected = before.logits.scalars.enumerated().map { $0 % 2 == 0 ? $1 : $1 - shift }
      expectClose(after.logits.scalars, expected, tolerance: 1e-2)
      expectClose(after.boxes, before.boxes, tolerance: 1e-3)
      #expect(throws: WeightsError.self) {
        try DetectorEvaluationJob.write(
          .shipped(try #require(ShippedWeights.named("look-alike"))), threshold: 0.8, to: file)
      }
    }
  }
}
