import DeepfakeCore
import Foundation
import MediaIO
import TestSupport
import Testing

/// Real videos against what PyAV decodes.
@Suite struct ReferenceVideoTests {
  struct Vector: Decodable {
    struct Frame: Decodable {
      var index: Int
      var seconds: Double
      var mean_rgb: [Float]
    }
    var video: String
    var width: Int
    var height: Int
    var decoded_frames: Int
    var container_frames: Int
    var audio: Bool
    var frames: [Frame]
  }

  @Test(.enabled(if: Paths.hasReference))
  func evenlySpacedFramesAreThoseOfPyAV() throws {
    let data = try Data(contentsOf: Paths.reference("vectors/videos.json"))
    let vectors = try JSONDecoder().decode([Vector].self, from: data)
    #expect(vectors.count == 5)
    for vector in vectors {
      let video = try Video(Paths.reference("videos/\(vector.video)"))
      #expect(video.info.width == vector.width && video.info.height == vector.height)
      #expect(video.info.containerFrames == vector.container_frames)
      #expect(video.info.hasAudio == vector.audio)
      var frames: [VideoFrame] = []
      let summary = try video.evenlySpacedFrames(25) { frames.append($0) }
      #expect(summary.decodedFrames == vector.decoded_frames)
      #expect(summary.isIntact && summary.warnings.isEmpty)
      #expect(frames.map(\.index) == vector.frames.map(\.index))
      for (frame, expected) in zip(frames, vector.frames) {
        #expect(abs(frame.time - expected.seconds) < 0.001)
        expectColours(
          [frame.image.meanColour], [expected.mean_rgb], levels: 2,
          "\(vector.video) frame \(frame.index)")
      }
    }
  }
}
