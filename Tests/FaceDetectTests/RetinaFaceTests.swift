import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO
import TestSupport
import Testing

/// The whole detector: pixels in, faces out.
@Suite struct RetinaFaceTests {
  private func golden() throws -> DetectorGolden.Network {
    try DetectorGolden.network(.mobileNet)
  }

  private func detector(
    _ golden: DetectorGolden.Network, _ change: (inout RetinaFace.Options) -> Void = { _ in }
  ) throws -> RetinaFace {
    var options = RetinaFace.Options()
    options.threshold = golden.threshold
    change(&options)
    return try RetinaFace(weights: golden.weights, options: options)
  }

  @Test(arguments: RetinaFaceBackbone.allCases)
  func facesAgreeWithTheReference(backbone: RetinaFaceBackbone) throws {
    let golden = try DetectorGolden.network(backbone)
    let found = try detector(golden).detect(golden.images)
    #expect(found.count == golden.frames.count)
    for (faces, expected) in zip(found, golden.frames) {
      #expect(faces.count == expected.count)
      for (face, expected) in zip(faces, expected) {
        #expect(abs(face.score - expected.score) < 1e-4)
        expectClose(face.box.edges, expected.box, tolerance: 1e-3, "box")
        expectClose(
          face.landmarks.flatMap { [$0.x, $0.y] }, expected.landmarks, tolerance: 1e-3,
          "landmarks")
      }
    }
  }

  @Test func aBatchGivesWhatSingleFramesGive() throws {
    let golden = try golden()
    let detector = try detector(golden)
    let odd = Image(
      width: 41, height: 33, pixels: Array(golden.images[0].pixels.prefix(41 * 33 * 3)))
    let frames = [golden.images[0], odd, golden.images[1], odd, golden.images[0]]
    let together = try detector.detect(frames)
    #expect(together == (try frames.map { try detector.detect([$0])[0] }))
    #expect(together[0].count > 3 && together[0] == together[4])
    #expect(try detector.detect([]) == [])
  }

  @Test func resultsDoNotDependOnThreads() throws {
    let golden = try golden()
    let detector = try detector(golden)
    let threads = Parallel.threadCount
    defer { Parallel.threadCount = threads }
    Parallel.threadCount = 1
    let alone = try detector.detect(golden.images)
    Parallel.threadCount = 3
    #expect(try detector.detect(golden.images) == alone)
  }

  @Test(arguments: [(1, 1), (1, 40), (7, 3), (33, 1), (32, 32)])
  func tinyFrames(width: Int, height: Int) throws {
    let golden = try golden()
    let frame = Image(
      width: width, height: height,
      pixels: Array(golden.images[0].pixels.prefix(width * height * 3)))
    let detector = try detector(golden) { $0.threshold = 0 }
    let faces = try detector.detect([frame])[0]
    #expect(!faces.isEmpty && faces.allSatisfy { $0.box.isFinite && $0.landmarks.count == 5 })
    #expect(faces.map(\.score) == faces.map(\.score).sorted(by: >))
  }

  @Test func theThresholdMaySwallowEverything() throws {
    let golden = try golden()
    let detector = try detector(golden) { $0.threshold = 0.9999 }
    #expect(try detector.detect(golden.images) == [[], []])
  }

  @Test(arguments: [Float.nan, .infinity, -3e38])
  func facesOfDamagedWeightsAreFinite(value: Float) throws {
    let golden = try golden()
    var found = 0
    for key in ["body.stage1.0.0", "BboxHead.1.conv1x1", "LandmarkHead.0.conv1x1"] {
      var weights = golden.weights
      let shape = try #require(golden.keys[key + ".weight"])
      let damaged = StateDict(tensors: [.init(key, Tensor(repeating: value, shape: shape))])
      weights[key + ".weight"] = damaged[key]
      let detector = try RetinaFace(weights: weights)
      do {
        let faces = try detector.detect(golden.images).flatMap { $0 }
        #expect(faces.allSatisfy { $0.isFinite }, "\(key)")
        found += faces.count
      } catch {
        #expect(error as? FaceDetectError == .scoresNotNumbers)
        #expect(key.hasPrefix("body"))
      }
    }
    #expect(found > 0)
  }

  @Test(arguments: ["body.stage1.0.0", "ClassHead.2.conv1x1"])
  func scoresThatAreNotNumbersAreNoAbsenceOfFaces(key: String) throws {
    let golden = try golden()
    var weights = golden.weights
    let shape = try #require(golden.keys[key + ".weight"])
    let damaged = StateDict(tensors: [.init(key, Tensor(repeating: .nan, shape: shape))])
    weights[key + ".weight"] = damaged[key]
    let detector = try RetinaFace(weights: weights)
    #expect(throws: FaceDetectError.scoresNotNumbers) { try detector.detect(golden.images) }
  }

  @Test func optionsNarrowTheResult() throws {
    let golden = try golden()
    let all = try detector(golden).detect(golden.images)
    let few = try detector(golden) { $0.maximumFaces = 2 }.detect(golden.images)
    #expect(few == all.map { Array($0.prefix(2)) })
    let none = try detector(golden) { $0.maximumFaces = 0 }.detect(golden.images)
    #expect(none == [[], []])
    let sides = all.flatMap { $0 }.map { min($0.box.width, $0.box.height) }.sorted()
    let limit = sides[sides.count / 2]
    let large = try detector(golden) { $0.minimumFaceSize = limit }.detect(golden.images)
    #expect(large == all.map { $0.filter { min($0.box.width, $0.box.height) >= limit } })
    let strict = try detector(golden) { $0.overlapThreshold = 0 }.detect(golden.images)
    #expect(strict[0].count < all[0].count)
  }

  @Test func facesOfAScaledFrameAreInPixelsOfTheFrame() throws {
    let golden = try golden()
    let frame = golden.images[0]
    let small = frame.resized(width: 48, height: 36, method: .area)
    let expected = try detector(golden) { $0.threshold = 0.5 }.detect([small])[0]
      .map { $0.scaled(x: 2, y: 71.0 / 36) }
    let found = try detector(golden) {
      $0.threshold = 0.5
      $0.frameScale = 0.5
    }.detect([frame])[0]
    #expect(!expected.isEmpty && found == expected)
  }

  @Test func framesBeyondMemoryAreRefused() throws {
    let golden = try golden()
    let detector = try detector(golden) { $0.frameScale = 1000 }
    #expect(throws: FaceDetectError.self) { try detector.detect([golden.images[0]]) }
  }

  @Test func batchesAreOfOneSizeAndBounded() {
    let (a, b) = (FrameSize(width: 1000, height: 1000), FrameSize(width: 10, height: 20))
    let batches = FrameBatch.batches(of: [a, b, a, a, b, a], bytesPerPixel: 50)
    #expect(batches.map(\.size) == [a, b, a])
    #expect(batches.map(\.frames) == [[0, 2, 3], [1, 4], [5]])
    let huge = FrameSize(width: 10_000, height: 10_000)
    #expect(FrameBatch.batches(of: [huge, huge], bytesPerPixel: 50).map(\.frames) == [[0], [1]])
  }

  @Test(arguments: RetinaFaceBackbone.allCases)
  func randomWeightsFindNothing(backbone: RetinaFaceBackbone) throws {
    let frames = try golden().images
    #expect(try RetinaFace(backbone: backbone, seed: 1).detect(frames) == [[], []])
  }

  @Test(
    .enabled(if: Paths.hasReference),
    arguments: ["crowd.jpg", "multiface.jpg", "lynaeydofd-frame0.jpg"])
  func publishedWeightsFindThePublishedFaces(image: String) throws {
    let vector = try #require(try PublishedFaces.load().first { $0.image == image })
    let weights = try StateDict.read(Paths.reference("weights/retinaface-mobilenet0.25.pth"))
    let detector = try RetinaFace(weights: weights)
    let frame = try ImageFile.read(Paths.reference("images/\(image)"))
    #expect(AnchorGrid(width: frame.width, height: frame.height).count == vector.priors)
    let faces = try detector.detect([frame])[0]
    #expect(faces.count == vector.faces.count)
    for (face, expected) in zip(faces, vector.faces) {
      #expect(abs(face.score - expected.score) < 1e-3)
      let points = face.box.edges + face.landmarks.flatMap { [$0.x, $0.y] }
      for (found, expected) in zip(points, expected.box + expected.landmarks.flatMap { $0 }) {
        #expect(abs(found - expected) < 0.5)
      }
    }
  }
}

/// One image of the reference material's retinaface.json.
private struct PublishedFaces: Decodable {
  struct Found: Decodable {
    var box: [Float]
    var score: Float
    var landmarks: [[Float]]
  }

  var image: String
  var priors: Int
  var faces: [Found]

  static func load() throws -> [PublishedFaces] {
    try JSONDecoder().decode(
      [PublishedFaces].self, from: Data(contentsOf: Paths.reference("vectors/retinaface.json")))
  }
}
