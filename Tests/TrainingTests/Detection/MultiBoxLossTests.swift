import DeepfakeCore
import FaceDetect
import Foundation
import TestSupport
import Testing
import Training

/// The loss against PyTorch's computation of the same formulas, and which anchors it asks.
@Suite struct MultiBoxLossTests {
  /// What `make_detection_loss.py` writes.
  private struct Golden: Decodable {
    struct Truth: Decodable {
      var box: [Float]
      var landmarks: [[Float]]?
    }

    struct Sample: Decodable {
      var sum: Float
      var at: [Int]
      var values: [Float]
    }

    var width, height, anchors, positives: Int
    var faces: [[Truth]]
    var loss: Float
    var parts: [Float]
    var gradients: [String: Sample]

    var scenes: [DetectionScene] {
      faces.map { faces in
        DetectionScene(
          image: Image(width: width, height: height) { $0.initialize(repeating: 0) },
          faces: faces.map { truth in
            Face(
              box: Box(
                x1: truth.box[0], y1: truth.box[1], x2: truth.box[2], y2: truth.box[3]), score: 1,
              landmarks: (truth.landmarks ?? []).map { Point(x: $0[0], y: $0[1]) })
          })
      }
    }
  }

  private static func golden() throws -> Golden {
    try JSONDecoder().decode(
      Golden.self, from: Data(contentsOf: Paths.fixture("detection_loss.json")))
  }

  /// The outputs of anchors in the published order as the network gives them.
  private static func output(_ parts: [Tensor], _ grid: AnchorGrid) -> RetinaFaceOutput {
    var first = 0
    let levels = grid.levels.map { level in
      defer { first += level.count }
      return Tensor.concatenated(
        parts.map {
          $0.slice(axis: 1, first..<first + level.count)
            .reshaped([$0.shape[0], level.rows, level.columns, -1])
        }, axis: 3)
    }
    return RetinaFaceOutput(levels: levels, grid: grid)
  }

  @Test func lossAndGradientsAreThoseOfTheFormulas() throws {
    let golden = try Self.golden()
    let grid = AnchorGrid(width: golden.width, height: golden.height)
    #expect(grid.count == golden.anchors)
    let inputs = [("logits", 2, 6.0), ("boxes", 4, 8), ("landmarks", 10, 8)].map {
      name, width, scale in
      let count = golden.faces.count * grid.count * width
      return Tensor(
        Formula.uniform(name, count: count).map { Float(($0 - 0.5) * scale) },
        shape: [golden.faces.count, grid.count, width])
    }
    let scenes = golden.scenes
    var measured: MultiBoxLoss.Parts?
    let (value, gradients) = valueAndGrad(at: inputs) { inputs in
      let result = MultiBoxLoss()(Self.output(inputs, grid), scenes: scenes)
      measured = result.parts
      return result.loss
    }
    let parts = try #require(measured)
    expectClose([value], [golden.loss], tolerance: 1e-5, "loss")
    expectClose(
      [parts.classes, parts.boxes, parts.landmarks], golden.parts, tolerance: 1e-5, "parts")
    for (name, gradient) in zip(["logits", "boxes", "landmarks"], gradients) {
      let expected = try #require(golden.gradients[name])
      let found = gradient.scalars
      expectClose(expected.at.map { found[$0] }, expected.values, tolerance: 1e-5, name)
      expectClose(
        [found.reduce(0) { $0 + abs($1) }], [expected.sum], tolerance: 1e-5, "\(name), sum")
    }
  }

  @Test func encodedBoxesDecodeToThemselves() {
    let grid = AnchorGrid(width: 64, height: 64)
    let box = Box(x1: 3, y1: 8, x2: 29, y2: 44)
    let points = DrawnHeads.landmarks
    for level in grid.levels {
      let anchor = level[level.count - 1]
      let decoded = anchor.outputs(of: box).withUnsafeBufferPointer { anchor.box($0) }
      expectClose(
        [decoded.x1, decoded.y1, decoded.x2, decoded.y2], [3, 8, 29, 44], tolerance: 1e-5)
      let marks = anchor.outputs(of: points).withUnsafeBufferPointer { anchor.landmarks($0) }
      expectClose(
        marks.flatMap { [$0.x, $0.y] }, points.flatMap { [$0.x, $0.y] }, tolerance: 1e-5)
    }
  }

  @Test func everyFaceThatAnAnchorCanShowHasOne() {
    let grid = AnchorGrid(width: 128, height: 96)
    let matching = AnchorMatching()
    // Long and thin: no anchor has an IoU of 0.35 with it.
    let thin = Box(x1: 40, y1: 10, x2: 52, y2: 60)
    let tiny = Box(x1: 80, y1: 80, x2: 84, y2: 84)
    let assignments = matching.assignments(of: grid, faces: [thin, tiny])
    #expect(assignments.count { $0 == .face(0) } == 1)
    #expect(assignments.count { $0 == .face(1) } == 0)
    #expect(assignments.count { $0 == .background } == grid.count - 1)
  }

  @Test func whatIsIgnoredIsNoBackground() {
    let grid = AnchorGrid(width: 128, height: 128)
    let box = Box(x1: 32, y1: 32, x2: 64, y2: 64)
    let matching = AnchorMatching()
    let faces = matching.assignments(of: grid, faces: [box])
    let ignored = matching.assignments(of: grid, faces: [], ignored: [box])
    let both = matching.assignments(of: grid, faces: [box], ignored: [box])
    #expect(faces.count { $0 == .face(0) } > 2)
    #expect(faces.map { $0 == .face(0) } == ignored.map { $0 == .ignored })
    #expect(both == faces)
    let broken = Box(x1: .nan, y1: 0, x2: 10, y2: .infinity)
    #expect(
      matching.assignments(of: grid, faces: [broken], ignored: [broken])
        .allSatisfy { $0 == .background })
  }

  @Test func whatShowsHalfAFaceMaySayAnything() {
    let grid = AnchorGrid(width: 128, height: 128)
    let box = Box(x1: 30, y1: 30, x2: 66, y2: 66)
    var matching = AnchorMatching()
    let published = matching.assignments(of: grid, faces: [box])
    matching.ignoredOverlap = 0.25
    let loose = matching.assignments(of: grid, faces: [box])
    #expect(published.count { $0 == .ignored } == 0)
    #expect(loose.count { $0 == .ignored } > 0)
    #expect(published.map { $0 == .face(0) } == loose.map { $0 == .face(0) })
  }

  @Test func easyBackgroundCountsWhereTheHardestIsNotAskedFor() {
    let grid = AnchorGrid(width: 64, height: 64)
    let scene = DetectionScene(
      image: Image(width: 64, height: 64) { $0.initialize(repeating: 0) }, faces: [])
    // One anchor looks like a face, the others do not.
    let logits = Tensor(shape: [1, grid.count, 2]) { logits in
      for index in logits.indices { logits[index] = index == 41 ? 6 : 0 }
    }
    let output = Self.output(
      [logits, Tensor(zeros: [1, grid.count, 4]), Tensor(zeros: [1, grid.count, 10])], grid)
    var loss = MultiBoxLoss()
    loss.fewestNegatives = 4
    let hard = loss(output, scenes: [scene]).parts.classes
    expectClose([hard], [log(1 + exp(6)) + 3 * log(2)], tolerance: 1e-5)
    loss.hardness = 0.5
    expectClose([loss(output, scenes: [scene]).parts.classes], [hard], tolerance: 1e-5)
    loss.hardness = 0
    loss.landmarkWeight = 0
    let easy = loss(output, scenes: [scene]).parts.classes
    #expect(easy <= hard + 1e-5)
  }

  @Test func picturesWithoutFacesCountWhereAsked() {
    let grid = AnchorGrid(width: 64, height: 64)
    let scene = DetectionScene(
      image: Image(width: 64, height: 64) { $0.initialize(repeating: 0) }, faces: [])
    let output = Self.output(
      [2, 4, 10].map { Tensor(zeros: [1, grid.count, $0]) }, grid)
    var loss = MultiBoxLoss()
    expectClose([loss(output, scenes: [scene]).loss.item], [0], tolerance: 1e-9)
    loss.fewestNegatives = 10
    expectClose(
      [loss(output, scenes: [scene]).loss.item], [10 * log(2)], tolerance: 1e-5)
  }
}
