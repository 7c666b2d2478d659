/// The size of a frame in pixels.
package struct FrameSize: Hashable, Sendable {
  package var width: Int
  package var height: Int

  package init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }
}

/// Frames of the same size that go through a network together.
package struct FrameBatch: Sendable {
  package var size: FrameSize
  /// Indices of the frames.
  package var frames: [Int]

  /// The limit on a batch's activations in bytes; a frame that needs more is a batch of its own.
  private static let byteLimit = 150 << 20

  /// Groups frames of these sizes into batches, in order of first appearance.
  package static func batches(of sizes: [FrameSize], bytesPerPixel: Int) -> [FrameBatch] {
    var open: [FrameSize: Int] = [:]
    var batches: [FrameBatch] = []
    for (index, size) in sizes.enumerated() {
      let bytes = size.width * size.height * bytesPerPixel
      if let place = open[size], (batches[place].frames.count + 1) * bytes <= byteLimit {
        batches[place].frames.append(index)
      } else {
        open[size] = batches.count
        batches.append(FrameBatch(size: size, frames: [index]))
      }
    }
    return batches
  }
}
