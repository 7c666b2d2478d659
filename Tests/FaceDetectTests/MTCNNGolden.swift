import DeepfakeCore
import FaceDetect
import Foundation
import TestSupport

/// What `Tests/Fixtures/make_mtcnn.py` writes.
struct MTCNNGolden: Decodable {
  struct Proposals: Decodable {
    var picture: String
    var width, height, toWidth, toHeight, rows, columns: Int
    var scores, offsets: [Float]
  }

  struct Crops: Decodable {
    struct Crop: Decodable {
      var rectangle: [Int]
      var score: Float
      var values: [Float]
    }

    var network, picture: String
    var width, height: Int
    var crops: [Crop]
  }

  struct Pyramid: Decodable {
    struct Level: Decodable {
      var scale: Double
      var width, height: Int
    }

    var width, height: Int
    var smallest, factor: Double
    var levels: [Level]
  }

  struct Boxes: Decodable {
    struct Row: Decodable {
      var box, offsets, moved, squared: [Float]
      var pixels: [Int]
    }

    var width, height: Int
    var boxes: [Row]
  }

  struct Suppression: Decodable {
    var threshold: Float
    var measure: String
    var boxes: [[Float]]
    var scores: [Float]
    var kept: [Int]
  }

  struct Detection: Decodable {
    var picture: String
    var width, height: Int
    var smallest, factor: Float
    var thresholds: [Float]
    var faces: [DetectorGolden.GoldenFace]

    var image: Image { .blocks(picture, width: width, height: height) }

    var options: MTCNN.Options {
      var options = MTCNN.Options()
      (options.thresholds, options.factor) = (thresholds, factor)
      options.minimumFaceSize = smallest
      return options
    }
  }

  var keys: [String: [Int]]
  var proposals: [Proposals]
  var crops: [Crops]
  var pyramids: [Pyramid]
  var boxes: Boxes
  var suppression: [Suppression]
  var detections: [Detection]

  static func load() throws -> MTCNNGolden {
    try JSONDecoder().decode(
      MTCNNGolden.self, from: Data(contentsOf: Paths.fixture("mtcnn.json")))
  }

  /// The weights that the golden values were computed with: those of the formula, slopes and last
  /// layers made small.
  var weights: StateDict { Self.weights(keys) }

  static func weights(_ keys: [String: [Int]], file: String = "memory") -> StateDict {
    StateDict(
      tensors: keys.sorted { $0.key < $1.key }.map { key, shape in
        let scale: Float = key.contains("prelu") ? 0.25 : key.contains("_") ? 0.1 : 1
        let values = Formula.values(key, shape: shape, varianceScale: 1).map { scale * $0 }
        return StateDict.Entry(key, Tensor(values, shape: shape))
      }, file: file)
  }
}

extension Image {
  /// Blocks of five pixels of noise.
  static func blocks(_ name: String, width: Int, height: Int) -> Image {
    let across = (width + 4) / 5
    let noise = Formula.uniform(name, count: (height + 4) / 5 * across * 3)
    return Image(width: width, height: height) { pixels in
      for y in 0..<height {
        for x in 0..<width {
          for c in 0..<3 {
            pixels[(y * width + x) * 3 + c] = UInt8(noise[(y / 5 * across + x / 5) * 3 + c] * 256)
          }
        }
      }
    }
  }
}

extension Box {
  init(_ edges: [Float]) {
    self.init(x1: edges[0], y1: edges[1], x2: edges[2], y2: edges[3])
  }
}
