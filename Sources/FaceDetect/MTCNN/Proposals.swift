import DeepfakeCore
import Foundation

/// MTCNN's first stage: P-Net on every level of a frame's pyramid.
struct ProposalStage: Sendable {
  let network: PNet
  /// A candidate is kept if its score is at least this.
  var threshold: Float

  /// IoU above which the candidate with the lower score is dropped, within a level and then within
  /// a frame.
  private static let levelOverlap: Float = 0.5
  private static let frameOverlap: Float = 0.7
  /// The largest number of candidates per level, those with the highest scores. It is far more than
  /// a picture of faces gives (a photograph of a thousand people gives some ten thousand), but few
  /// enough for noise with a low threshold.
  private static let candidatesPerLevel = 1 << 16

  /// Square boxes that may contain faces, for each frame. Throws
  /// `FaceDetectError.scoresNotNumbers`.
  func callAsFunction(_ frames: [Image], _ pyramids: [ImagePyramid]) throws -> [[Box]] {
    let levels = pyramids.indices.flatMap { frame in
      pyramids[frame].levels.map { (frame: frame, level: $0) }
    }
    let outputs = network(
      levels.map { frame, level in
        PixelWindow(
          image: frame, x: 0, y: 0, width: frames[frame].width, height: frames[frame].height,
          toWidth: level.width, toHeight: level.height)
      }, of: frames)
    let found = Parallel.map(levels.count) { index in
      candidates(in: outputs[index], scale: levels[index].level.scale).map {
        CandidateSuppression(threshold: Self.levelOverlap)($0, limit: Self.candidatesPerLevel)
      }
    }
    var perFrame = [[Candidate]](repeating: [], count: frames.count)
    for (level, candidates) in zip(levels, found) {
      guard let candidates else { throw FaceDetectError.scoresNotNumbers }
      perFrame[level.frame] += candidates
    }
    let all = perFrame
    return Parallel.map(frames.count) { frame in
      CandidateSuppression(threshold: Self.frameOverlap)(all[frame])
        .map { $0.box.moved(by: $0.offsets, extra: 0).squared() }
    }
  }

  /// The windows of a level with a sufficient score, row by row; nil if a number is not finite.
  private func candidates(in output: Tensor, scale: Double) -> [Candidate]? {
    let columns = output.shape[1]
    let scale = Float(scale)
    // The softmax of two logits is the sigmoid of their difference, so the difference alone rejects
    // most windows. Near the threshold, the score itself decides.
    let surely = threshold < 1 ? log(threshold / (1 - threshold)) - 1e-3 : 10
    return output.withUnsafeBuffer { values in
      var found: [Candidate] = []
      for cell in 0..<values.count / PNet.channels {
        let start = cell * PNet.channels
        let difference = values[start + 1] - values[start]
        if difference < surely { continue }
        let score = faceProbability(values[start], values[start + 1])
        if score < threshold { continue }
        let offsets = SIMD4(
          values[start + 2], values[start + 3], values[start + 4], values[start + 5])
        guard score.isFinite && offsets.sum().isFinite else { return nil }
        let (row, column) = cell.quotientAndRemainder(dividingBy: columns)
        func edge(_ index: Int, _ add: Int) -> Float {
          (Float(PNet.stride * index + add) / scale).rounded(.down)
        }
        found.append(
          Candidate(
            box: Box(
              x1: edge(column, 1), y1: edge(row, 1), x2: edge(column, PNet.window),
              y2: edge(row, PNet.window)), score: score, offsets: offsets))
      }
      return found
    }
  }
}
