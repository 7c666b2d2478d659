import DeepfakeCore

/// MTCNN's second or third stage: a network judges the crop of every candidate.
struct CropStage: Sendable {
  let network: CropNet
  /// A candidate is kept if its score is above this.
  var threshold: Float

  /// A candidate's box and the window of the frame to crop.
  private struct Crop {
    var box: Box
    var window: PixelWindow
  }

  /// The boxes of each frame that the network accepts as faces, with its offsets and landmarks.
  /// Boxes outside of the frame are dropped. Throws `FaceDetectError.scoresNotNumbers`, and
  /// `CancellationError` in a cancelled task, because there may be very many boxes.
  func callAsFunction(_ boxes: [[Box]], in frames: [Image]) throws -> [[Candidate]] {
    let crops = boxes.indices.flatMap { frame in
      boxes[frame].compactMap { box in crop(box, frame, frames[frame]) }
    }
    var found = [[Candidate]](repeating: [], count: frames.count)
    for start in stride(from: 0, to: crops.count, by: CropNet.cropsAtOnce) {
      try Task.checkCancellation()
      let some = crops[start..<min(start + CropNet.cropsAtOnce, crops.count)]
      let output = network(some.map(\.window), of: frames)
      let size = output.shape[1]
      try output.withUnsafeBuffer { values in
        for (index, crop) in some.enumerated() {
          let row = UnsafeBufferPointer(rebasing: values[index * size..<(index + 1) * size])
          guard let candidate = try candidate(crop.box, row) else { continue }
          found[crop.window.image].append(candidate)
        }
      }
    }
    return found
  }

  private func crop(_ box: Box, _ frame: Int, _ image: Image) -> Crop? {
    box.pixels(width: image.width, height: image.height).map { pixels in
      Crop(
        box: box,
        window: PixelWindow(
          image: frame, x: pixels.x, y: pixels.y, width: pixels.width, height: pixels.height,
          toWidth: network.side, toHeight: network.side))
    }
  }

  private func candidate(_ box: Box, _ row: UnsafeBufferPointer<Float>) throws -> Candidate? {
    let score = faceProbability(row[0], row[1])
    if score <= threshold { return nil }
    guard score.isFinite && row.allSatisfy(\.isFinite) else {
      throw FaceDetectError.scoresNotNumbers
    }
    // Landmarks are relative to the box, in units of its width and height.
    let count = (row.count - 6) / 2
    let width = box.x2 - box.x1 + 1
    let height = box.y2 - box.y1 + 1
    return Candidate(
      box: box, score: score, offsets: SIMD4(row[2], row[3], row[4], row[5]),
      landmarks: (0..<count).map { i in
        Point(
          x: width * row[6 + i] + box.x1 - 1, y: height * row[6 + count + i] + box.y1 - 1)
      })
  }
}
