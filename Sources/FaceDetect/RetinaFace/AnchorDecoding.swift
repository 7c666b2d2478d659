import DeepfakeCore
import Foundation

extension AnchorGrid.Anchor {
  /// The network was trained on box and landmark offsets divided by these "variances": the first
  /// for centres and landmarks, the second for the logarithms of width and height.
  private static let centerVariance: Float = 0.1
  private static let sizeVariance: Float = 0.2

  /// The box for four outputs: the centre's x and y offsets, and the logarithms of width and
  /// height.
  package func box(_ o: UnsafeBufferPointer<Float>) -> Box {
    let width = size * exp(o[2] * Self.sizeVariance)
    let height = size * exp(o[3] * Self.sizeVariance)
    let x1 = centerX + o[0] * Self.centerVariance * size - width / 2
    let y1 = centerY + o[1] * Self.centerVariance * size - height / 2
    return Box(x1: x1, y1: y1, x2: x1 + width, y2: y1 + height)
  }

  /// The landmarks for pairs of outputs, x and y.
  package func landmarks(_ o: UnsafeBufferPointer<Float>) -> [Point] {
    stride(from: 0, to: o.count - 1, by: 2).map { i in
      Point(
        x: centerX + o[i] * Self.centerVariance * size,
        y: centerY + o[i + 1] * Self.centerVariance * size)
    }
  }
}

/// The inverse of decoding, for training targets.
extension AnchorGrid.Anchor {
  /// The anchor as a box.
  package var box: Box {
    Box(
      x1: centerX - size / 2, y1: centerY - size / 2, x2: centerX + size / 2,
      y2: centerY + size / 2)
  }

  /// The four outputs for a box; its width and height must be positive.
  package func outputs(of box: Box) -> [Float] {
    [
      (box.center.x - centerX) / (Self.centerVariance * size),
      (box.center.y - centerY) / (Self.centerVariance * size),
      log(box.width / size) / Self.sizeVariance, log(box.height / size) / Self.sizeVariance,
    ]
  }

  /// The outputs for landmarks, x and y of each.
  package func outputs(of landmarks: [Point]) -> [Float] {
    landmarks.flatMap {
      [
        ($0.x - centerX) / (Self.centerVariance * size),
        ($0.y - centerY) / (Self.centerVariance * size),
      ]
    }
  }
}

/// Decodes the network's outputs into faces.
struct FaceDecoder: Sendable {
  /// A face is kept if its score is above this.
  ///
  /// The published code runs suppression on candidates above 0.02 and applies this threshold last.
  /// As a face is only suppressed by faces with higher scores, applying the threshold first gives
  /// the same faces and skips the anchors below it.
  var threshold: Float
  var suppression: NonMaximumSuppression
  /// The largest number of candidates for suppression, those with the highest scores, as published.
  var candidateLimit = 5000

  /// The faces in one frame of the batch, by falling score, in pixels of the network's input.
  /// Throws `FaceDetectError.scoresNotNumbers` if an anchor's score is NaN.
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
      candidates = Array(candidates.sortedByScore().prefix(candidateLimit))
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
