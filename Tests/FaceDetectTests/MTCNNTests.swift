import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO
import TestSupport
import Testing

/// The whole detector: pixels in, faces out.
@Suite struct MTCNNTests {
  private static func lenient(_ change: (inout MTCNN.Options) -> Void = { _ in }) -> MTCNN.Options {
    var options = MTCNN.Options()
    options.thresholds = [0.5, 0.45, 0.5]
    change(&options)
    return options
  }

  private static let frames = [
    Image.blocks("f:a", width: 96, height: 72), Image.blocks("f:b", width: 51, height: 80),
    Image(width: 60, height: 40, pixels: [UInt8](repeating: 90, count: 60 * 40 * 3)),
    Image.blocks("f:c", width: 96, height: 72), Image.blocks("f:d", width: 12, height: 11),
  ]

  @Test func facesAgreeWithTheReference() throws {
    let golden = try MTCNNGolden.load()
    for g in golden.detections {
      let found = try MTCNN(weights: golden.weights, options: g.options).detect([g.image])
      try expectSame(try #require(found.first), g.faces, pixels: 2e-3, score: 2e-6, g.picture)
      #expect(found.count == 1)
    }
  }

  @Test func aBatchGivesWhatSingleFramesGive() throws {
    let detector = try MTCNN(weights: MTCNNGolden.load().weights, options: Self.lenient())
    let together = try detector.detect(Self.frames)
    let alone = try Self.frames.map { try detector.detect([$0])[0] }
    #expect(together == alone)
    #expect(together[0].count > 2 && together[3].count > 2 && together[4].isEmpty)
    #expect(try detector.detect([]) == [])
    // More frames than are worked on together.
    let many = (0..<70).map { Self.frames[$0 % 4] }
    #expect(try detector.detect(many) == (0..<70).map { alone[$0 % 4] })
  }

  @Test func aFrameWithoutFacesDisturbsNoOther() throws {
    let black = Image(width: 80, height: 60, pixels: [UInt8](repeating: 0, count: 80 * 60 * 3))
    let strict = Self.lenient { $0.thresholds = [0.55, 0.45, 0.5] }
    let detector = try MTCNN(weights: MTCNNGolden.load().weights, options: strict)
    let found = try detector.detect([black, Self.frames[0], black])
    #expect(found.count == 3 && found[0].isEmpty && found[2].isEmpty)
    #expect(!found[1].isEmpty)
    #expect(try detector.detect([Self.frames[0]]) == [found[1]])
  }

  @Test func resultsDoNotDependOnThreads() throws {
    let detector = try MTCNN(weights: MTCNNGolden.load().weights, options: Self.lenient())
    let threads = Parallel.threadCount
    defer { Parallel.threadCount = threads }
    Parallel.threadCount = 1
    let alone = try detector.detect(Self.frames)
    Parallel.threadCount = 3
    #expect(try detector.detect(Self.frames) == alone)
  }

  @Test func facesAreInOrderAndFinite() throws {
    let detector = try MTCNN(weights: MTCNNGolden.load().weights, options: Self.lenient())
    for faces in try detector.detect(Self.frames) {
      #expect(faces.map(\.score) == faces.map(\.score).sorted(by: >))
      #expect(faces.allSatisfy { $0.isFinite && $0.landmarks.count == 5 })
    }
  }

  @Test(arguments: [(1, 1), (1, 400), (19, 19), (20, 20), (300, 21), (4000, 12)])
  func oddFrames(width: Int, height: Int) throws {
    let detector = try MTCNN(weights: MTCNNGolden.load().weights, options: Self.lenient())
    let faces = try detector.detect([.blocks("odd", width: width, height: height)])
    #expect(faces.count == 1)
    if min(width, height) < 20 { #expect(faces == [[]]) }
  }

  @Test func thresholdsMaySwallowEverythingOrNothing() throws {
    let weights = try MTCNNGolden.load().weights
    let all = try MTCNN(weights: weights, options: Self.lenient { $0.thresholds = [1, 1, 1] })
    #expect(try all.detect(Self.frames).allSatisfy(\.isEmpty))
    let none = try MTCNN(weights: weights, options: Self.lenient { $0.thresholds = [0, 0, 0] })
    let faces = try none.detect(Self.frames)
    #expect(faces[0].count > 20 && faces.joined().allSatisfy(\.isFinite))
  }

  @Test func optionsNarrowTheResult() throws {
    let weights = try MTCNNGolden.load().weights
    let all = try MTCNN(weights: weights, options: Self.lenient()).detect(Self.frames)
    let few = try MTCNN(weights: weights, options: Self.lenient { $0.maximumFaces = 2 })
    #expect(try few.detect(Self.frames) == all.map { Array($0.prefix(2)) })
    let large = try MTCNN(weights: weights, options: Self.lenient { $0.minimumFaceSize = 60 })
    let found = try large.detect(Self.frames)
    #expect(found[1].isEmpty && !found[0].isEmpty && found[0].count < all[0].count)
  }

  /// The published 20 pixels are those of the frame as searched; a size of one's own is in pixels
  /// of the frame as given.
  @Test func facesOfAScaledFrameAreInPixelsOfTheFrame() throws {
    let weights = try MTCNNGolden.load().weights
    let frame = Self.frames[0]
    let half = frame.resized(width: 48, height: 36, method: .area)
    let expected = try MTCNN(weights: weights, options: Self.lenient()).detect([half])[0]
      .map { $0.scaled(x: 2, y: 2) }
    let scaled = Self.lenient { $0.frameScale = 0.5 }
    #expect(try MTCNN(weights: weights, options: scaled).detect([frame])[0] == expected)
    var sized = scaled
    sized.minimumFaceSize = 40
    #expect(try MTCNN(weights: weights, options: sized).detect([frame])[0] == expected)
    #expect(!expected.isEmpty)
  }

  @Test func framesBeyondMemoryAreRefused() throws {
    let weights = try MTCNNGolden.load().weights
    for options in [
      Self.lenient { $0.frameScale = 1000 }, Self.lenient { $0.minimumFaceSize = 0.01 },
      Self.lenient { $0.frameScale = .factor(.greatestFiniteMagnitude) },
      Self.lenient { $0.minimumFaceSize = .leastNonzeroMagnitude },
    ] {
      let detector = try MTCNN(weights: weights, options: options)
      #expect(throws: FaceDetectError.self) { try detector.detect([Self.frames[0]]) }
    }
  }

  @Test(arguments: [
    "pnet.conv1.weight", "pnet.conv4_2.bias", "rnet.dense5_1.bias", "rnet.conv2.weight",
    "onet.prelu3.weight", "onet.dense6_3.weight",
  ])
  func numbersThatAreNoneAreNoAbsenceOfFaces(key: String) throws {
    let golden = try MTCNNGolden.load()
    var weights = golden.weights
    let shape = try #require(golden.keys[key])
    weights[key] =
      StateDict(tensors: [.init(key, Tensor(repeating: .nan, shape: shape))])[key]
    let detector = try MTCNN(weights: weights, options: Self.lenient())
    #expect(throws: FaceDetectError.scoresNotNumbers) { try detector.detect(Self.frames) }
  }

  @Test(arguments: [Float.infinity, -3e38, 1e20])
  func facesOfDamagedWeightsAreFinite(value: Float) throws {
    let golden = try MTCNNGolden.load()
    for key in ["pnet.conv4_2.bias", "rnet.dense5_2.bias", "onet.dense6_2.bias", "rnet.conv1.bias"]
    {
      var weights = golden.weights
      let shape = try #require(golden.keys[key])
      weights[key] =
        StateDict(tensors: [.init(key, Tensor(repeating: value, shape: shape))])[key]
      let detector = try MTCNN(weights: weights, options: Self.lenient())
      do {
        #expect(try detector.detect(Self.frames).joined().allSatisfy(\.isFinite), "\(key)")
      } catch {
        #expect(error as? FaceDetectError == .scoresNotNumbers)
      }
    }
  }

  @Test(
    .enabled(if: Paths.hasReference),
    arguments: ["crowd.jpg", "multiface.jpg", "lynaeydofd-frame0.jpg"])
  func publishedWeightsFindThePublishedFaces(image: String) throws {
    let vectors = try JSONDecoder().decode(
      [PublishedMTCNNFaces].self, from: Data(contentsOf: Paths.reference("vectors/mtcnn.json")))
    let vector = try #require(vectors.first { $0.image == image })
    let weights = try MTCNN.readWeights(Paths.reference("weights"))
    let frame = try ImageFile.read(Paths.reference("images/\(image)"))
    let found = try MTCNN(weights: weights).detect([frame])[0]
    let expected = vector.faces.map {
      DetectorGolden.GoldenFace(
        box: $0.box, score: $0.score, landmarks: $0.landmarks.flatMap { $0 })
    }
    .sorted { $0.score > $1.score }
    #expect(found.count == expected.count)
    for face in expected {
      let nearest = try #require(
        found.max {
          $0.box.intersectionOverUnion(with: Box(face.box))
            < $1.box.intersectionOverUnion(with: Box(face.box))
        })
      try expectSame([nearest], [face], pixels: 0.01, score: 1e-5, image)
    }
  }

  private func expectSame(
    _ found: [Face], _ expected: [DetectorGolden.GoldenFace], pixels: Float, score: Float,
    _ label: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    #expect(found.count == expected.count, "\(label)", sourceLocation: sourceLocation)
    for (face, expected) in zip(found, expected) {
      #expect(abs(face.score - expected.score) <= score, sourceLocation: sourceLocation)
      let numbers = face.box.edges + face.landmarks.flatMap { [$0.x, $0.y] }
      for (number, wanted) in zip(numbers, expected.box + expected.landmarks) {
        #expect(abs(number - wanted) <= pixels, "\(label)", sourceLocation: sourceLocation)
      }
      #expect(numbers.count == 14, sourceLocation: sourceLocation)
    }
  }
}

/// `../shared/reference/vectors/mtcnn.json`.
private struct PublishedMTCNNFaces: Decodable {
  struct Item: Decodable {
    var box: [Float]
    var score: Float
    var landmarks: [[Float]]
  }

  var image: String
  var faces: [Item]
}
