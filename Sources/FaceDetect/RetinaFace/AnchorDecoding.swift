import DeepfakeCore
import Foundation

extension AnchorGrid.Anchor {
  /// The network's box and landmark outputs were trained divided by these "variances": centres and
  /// landmarks by the first, the logarithms of width and height by the second.
  private static let centerVariance: Float = 0.1
  private static let sizeVariance: Float = 0.2

  /// The box that four outputs describe: the centre's x and y, the logarithms of width and height.
  package func box(_ o: UnsafeBufferPointer<Float>) -> Box {
    let width = size * exp(o[2] * Self.sizeVariance)
    let height = size * exp(o[3] * Self.sizeVariance)
    let x1 = centerX + o[0] * Self.centerVariance * size - width / 2
    let y1 = centerY + o[1] * Self.centerVariance * size - height / 2
    return Box(x1: x1, y1: y1, x2: x1 + width, y2: y1 + height)
  }

  /// The landmarks that pairs of outputs (x and y) describe.
  package func landmarks(_ o: UnsafeBufferPointer<Float>) -> [Point] {
    stride(from: 0, to: o.count - 1, by: 2).map { i in
      Point(
        x: centerX + o[i] * Self.centerVariance * size,
        y: centerY + o[i + 1] * Self.centerVariance * size)
    }
  }
}

extension AnchorGrid.Anchor {
  /// The anchor as a box.
  package var box: Box {
    Box(
      x1: centerX - size / 2, y1: centerY - size / 2, x2: centerX + size / 2,
      y2: centerY + size / 2)
  }

  /// The four outputs that describe a box of some width and height.
  package func outputs(of box: Box) -> [Float] {
    [
      (box.center.x - centerX) / (Self.centerVariance * size),
      (box.center.y - centerY) / (Self.centerVariance * size),
      log(box.width / size) / Self.sizeVariance, log(box.height / size) / Self.sizeVariance,
    ]
  }

  /// The outputs, x and y of each, that describe landmarks.
  package func outputs(of landmarks: [Point]) -> [Float] {
    landmarks.flatMap {
      [
        ($0.x - centerX) / (Self.centerVariance * size),
        ($0.y - centerY) / (Self.centerVariance * size),
      ]
    }
  }
}

/// Turns the network's outputs into faces.
struct FaceDecoder: Sendable {
  /// Faces must be surer than this.
  ///
  /// The published code keeps candidates above 0.02 through suppression and applies this threshold
  /// last. As a face is only ever suppressed by surer ones, applying it first gives the same faces,
  /// and nothing is computed for the anchors below it.
  var threshold: Float
  var suppression: NonMaximumSuppression
  /// The surest candidates that suppression looks at, as published.
  var candidateLimit = 5000

  /// The faces in one frame of a batch, surest first, in pixels of the frame that the network saw.
  /// Throws `FaceDetectError.scoresNotNumbers` where an anchor's score is NaN.
  func faces(in output: RetinaFaceOutput, frame: Int) throws -> [Face] {
    var candidates: [Face] = []
    for (level, tensor) in zip(output.grid.levels, output.levels) {
      try tensor.withUnsafeBuffer { buffer in
        let size = level.count / AnchorGrid.anchorsPerCell * RetinaFaceOutput.channels
        let values = UnsafeBufferPointer(rebasing: buffer[frame * size..<(frame + 1) * size])
        try appendCandidates(of: level, values, to: &candidates)
      }
    }
    if candidates.count > candidateLimit {
      candidates = Array(candidates.sortedBySureness().prefix(candidateLimit))
    }
    return suppression(candidates)
  }

  private func appendCandidates(
    of level: AnchorGrid.Level, _ values: UnsafeBufferPointer<Float>, to candidates: inout [Face]
  ) throws {
    // The softmax of two logits is the sigmoid of their difference, so the threshold can be applied
    // to the difference.
    let logitThreshold = log(threshold / (1 - threshold))
    let perCell = AnchorGrid.anchorsPerCell
    for index in 0..<level.count {
      let (cell, kind) = index.quotientAndRemainder(dividingBy: perCell)
      let start = cell * RetinaFaceOutput.channels
      let logits = start + 2 * kind
      let difference = values[logits + 1] - values[logits]
      guard difference > logitThreshold else {
        if difference.isNaN { throw FaceDetectError.scoresNotNumbers }
        continue
      }
      let score = sigmoid(difference)
      guard score > threshold else { continue }
      let anchor = level[index]
      let box = start + RetinaFaceOutput.boxChannel + 4 * kind
      let landmarks = start + RetinaFaceOutput.landmarkChannel + 10 * kind
      candidates.append(
        Face(
          box: anchor.box(UnsafeBufferPointer(rebasing: values[box..<box + 4])), score: score,
          landmarks: anchor.landmarks(
            UnsafeBufferPointer(rebasing: values[landmarks..<landmarks + 10]))))
    }
  }
}
