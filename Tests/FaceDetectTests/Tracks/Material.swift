import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO
import TestSupport

/// Reference material that lies beside the package, found and searched at run time.
enum TrackMaterial {
  /// `../shared/faces`, or nil.
  static let faces: URL? = {
    let folder = Paths.package.appendingPathComponent("../shared/faces").standardizedFileURL
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
  }()

  static var hasFaces: Bool { faces != nil && Paths.hasReference }

  /// The RetinaFace detector with the reference weights.
  static func detector(frameScale: FrameScale = 0.5) throws -> RetinaFace {
    var options = RetinaFace.Options()
    options.frameScale = frameScale
    let file = Paths.reference("weights/retinaface-mobilenet0.25.pth")
    return try RetinaFace(weights: StateDict.read(file), options: options)
  }
}

/// How well scores of pairs tell pairs of one person from pairs of two.
struct Verification {
  let areaUnderCurve: Double
  let equalErrorRate: Double
  /// The score at which the two errors are equal.
  let threshold: Float

  init(same: [Float], different: [Float]) {
    let all =
      (same.map { ($0, true) } + different.map { ($0, false) }).sorted { $0.0 < $1.0 }
    var (below, area) = (0, 0)
    var best = (gap: Double.infinity, rate: 1.0, threshold: Float(0))
    var missed = 0
    for (score, isSame) in all {
      if isSame {
        area += below
        missed += 1
      } else {
        below += 1
      }
      let split = Double(missed) / Double(same.count)
      let joined = 1 - Double(below) / Double(different.count)
      if abs(split - joined) < best.gap {
        best = (abs(split - joined), (split + joined) / 2, score)
      }
    }
    areaUnderCurve = Double(area) / Double(same.count) / Double(different.count)
    equalErrorRate = best.rate
    threshold = best.threshold
  }
}
