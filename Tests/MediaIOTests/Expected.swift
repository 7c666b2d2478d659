import Foundation
import TestSupport
import Testing

/// What other decoders make of the fixtures; written by make_media.py.
struct Expected: Decodable {
  struct Picture: Decodable, Sendable, CustomTestStringConvertible {
    var file: String
    var width: Int
    var height: Int
    var tolerance: Int
    var pixels: Data
    var testDescription: String { file }
  }

  struct Clip: Decodable, Sendable, CustomTestStringConvertible {
    struct Sample: Decodable, Sendable {
      var index: Int
      var width: Int
      var height: Int
      /// Mean colours of 4 x 3 cells.
      var cells: [[Float]]
    }
    var file: String
    var width: Int
    var height: Int
    var rotation: Int
    var codec: String
    var frames: Int
    var times: [Double?]
    var containerFrames: Int?
    var audio: Bool
    /// How far colours may be off, in levels of 255.
    var levels: Float
    var samples: [Sample]
    var testDescription: String { file }
  }

  var images: [Picture]
  var videos: [Clip]

  /// Empty where the file does not read, which `FixtureTests` reports.
  static let all: Expected = {
    let data = try? Data(contentsOf: Paths.fixture("media/expected.json"))
    let read = data.flatMap { try? JSONDecoder().decode(Expected.self, from: $0) }
    return read ?? Expected(images: [], videos: [])
  }()
}
