import DFKit
import Foundation
import Synchronization
import TestSupport

/// A detector that finds the faces that a rule gives for each frame, counted from 0.
final class ScriptedDetector: FaceDetector {
  private let count = Mutex(0)
  private let rule: @Sendable (Int, Image) -> [Face]

  init(_ rule: @escaping @Sendable (Int, Image) -> [Face]) {
    self.rule = rule
  }

  func detect(_ frames: [Image]) throws -> [[Face]] {
    frames.map { frame in
      let index = count.withLock { count in
        defer { count += 1 }
        return count
      }
      return rule(index, frame)
    }
  }
}

/// A scorer whose probability for a crop is a function of it.
struct RuleScorer: FaceScorer {
  let rule: @Sendable (Image) -> Float

  func scores(_ crops: [Image]) throws -> [Float] { crops.map(rule) }
}

/// A scorer that judges all crops together.
struct ClipScorer: FaceScorer {
  func scores(_ crops: [Image]) throws -> [Float] { [0.25] }
}

/// A scorer that fails.
struct BrokenScorer: FaceScorer {
  struct Failure: Error, CustomStringConvertible {
    var description: String { "the scorer is broken" }
  }

  func scores(_ crops: [Image]) throws -> [Float] { throw Failure() }
}

extension Image {
  /// A picture of one colour.
  static func plain(_ width: Int, _ height: Int, grey: UInt8 = 128) -> Image {
    Image(width: width, height: height) { $0.update(repeating: grey) }
  }
}

extension Face {
  /// A face at (x, y) with a side and a score.
  static func at(_ x: Float, _ y: Float, side: Float = 10, score: Float = 0.9) -> Face {
    Face(box: Box(x1: x, y1: y, x2: x + side, y2: y + side), score: score)
  }
}

/// A video in which nothing moves: what a detector is made to find at one place stays one person.
enum StillVideo {
  /// Calls `body` with a video of 64 by 48 pixels, a patch of its own in either half.
  static func with<R>(frames: Int = 5, _ body: (URL) throws -> R) throws -> R {
    try Paths.withTemporaryFolder { folder in
      var picture = Image.plain(64, 48, grey: 120)
      picture.fillRectangle(x: 2, y: 4, width: 14, height: 14, color: .red)
      picture.fillRectangle(x: 5, y: 8, width: 5, height: 3, color: .black)
      picture.fillRectangle(x: 40, y: 20, width: 20, height: 20, color: .green)
      picture.fillRectangle(x: 46, y: 30, width: 8, height: 6, color: .white)
      let url = folder.appendingPathComponent("still.mp4")
      let writer = try VideoWriter(url, width: 64, height: 48, frameRate: 5)
      for _ in 0..<frames { try writer.append(picture) }
      try writer.finish()
      return try body(url)
    }
  }
}
