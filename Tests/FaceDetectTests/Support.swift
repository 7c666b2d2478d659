import DeepfakeCore
import FaceDetect
import Foundation
import TestSupport
import Testing

/// What `Tests/Fixtures/make_detector.py` writes.
struct DetectorGolden: Decodable {
  struct Sample: Decodable {
    var shape: [Int]
    var step: Int
    var values: [Float]

    /// The same sample of a tensor.
    func of(_ tensor: Tensor) -> [Float] {
      let all = tensor.scalars
      return stride(from: 0, to: all.count, by: step).map { all[$0] }
    }
  }

  struct GoldenFace: Decodable {
    var box: [Float]
    var score: Float
    var landmarks: [Float]
  }

  struct Network: Decodable {
    var backbone: String
    var varianceScale: Double
    var width: Int
    var height: Int
    var input: String
    var threshold: Float
    var keys: [String: [Int]]
    var logits, boxes, landmarks: Sample
    var frames: [[GoldenFace]]
  }

  struct Anchors: Decodable {
    struct Row: Decodable {
      var index: Int
      var anchor, offsets, box, landmarks: [Float]
    }

    var width: Int
    var height: Int
    var count: Int
    var anchors: [Row]
  }

  struct Suppression: Decodable {
    var threshold: Float
    var boxes: [[Float]]
    var scores: [Float]
    var kept: [Int]
  }

  var networks: [Network]
  var anchors: [Anchors]
  var suppression: [Suppression]

  static func load() throws -> DetectorGolden {
    try JSONDecoder().decode(
      DetectorGolden.self, from: Data(contentsOf: Paths.fixture("detector.json")))
  }

  static func network(_ backbone: RetinaFaceBackbone) throws -> Network {
    try #require(load().networks.first { $0.backbone == backbone.rawValue })
  }
}

extension DetectorGolden.Network {
  /// The weights that the golden values were computed with.
  var weights: StateDict { StateDict(formula: keys, varianceScale: varianceScale) }

  /// The two frames that the golden values were computed on.
  var images: [Image] {
    let values = Formula.uniform(input, count: 2 * width * height * 3).map { UInt8($0 * 256) }
    let size = width * height * 3
    return [0, size].map { start in
      Image(width: width, height: height, pixels: Array(values[start..<start + size]))
    }
  }
}

extension Box {
  static func random(using generator: inout SeededGenerator) -> Box {
    let (x, y) = (generator.uniform() * 50, generator.uniform() * 50)
    return Box(
      x1: x, y1: y, x2: x + generator.uniform() * 40, y2: y + generator.uniform() * 40)
  }

  var edges: [Float] { [x1, y1, x2, y2] }
}

extension StateDict {
  /// A checkpoint whose tensors, given by key and file shape, are computed from their names.
  init(formula keys: [String: [Int]], varianceScale: Double) {
    self.init(
      tensors: keys.sorted { $0.key < $1.key }.map { key, shape in
        Entry(
          key,
          Tensor(Formula.values(key, shape: shape, varianceScale: varianceScale), shape: shape))
      })
  }
}
