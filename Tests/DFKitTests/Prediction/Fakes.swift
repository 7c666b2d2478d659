import DFKit
import Foundation
import Synchronization

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
