/// A possible face, passed between two of MTCNN's stages.
package struct Candidate: Sendable, Equatable {
  package var box: Box
  package var score: Float
  /// The network's correction of each edge, in units of the box's width or height: left, top,
  /// right, bottom.
  package var offsets: SIMD4<Float>
  /// The landmarks in pixels of the frame; only O-Net gives them.
  package var landmarks: [Point] = []

  package init(box: Box, score: Float, offsets: SIMD4<Float>, landmarks: [Point] = []) {
    self.box = box
    self.score = score
    self.offsets = offsets
    self.landmarks = landmarks
  }
}

extension Box {
  /// The box with every edge moved by its offset, in units of the box's width or height plus
  /// `extra` pixels. As in the published code, `extra` is 0 after P-Net and 1 after the other
  /// networks.
  package func moved(by offsets: SIMD4<Float>, extra: Float) -> Box {
    let (width, height) = (x2 - x1 + extra, y2 - y1 + extra)
    return Box(
      x1: x1 + offsets.x * width, y1: y1 + offsets.y * height,
      x2: x2 + offsets.z * width, y2: y2 + offsets.w * height)
  }

  /// The square with the same centre and the longer side.
  package func squared() -> Box {
    let (width, height) = (x2 - x1, y2 - y1)
    let side = max(width, height)
    let left = x1 + width * 0.5 - side * 0.5
    let top = y1 + height * 0.5 - side * 0.5
    return Box(x1: left, y1: top, x2: left + side, y2: top + side)
  }

  /// The part of the box inside a frame, in whole pixels, as in the published code: coordinates
  /// start at 1, fractions are dropped, and the last row and column belong to the box. nil if the
  /// part is empty.
  package func pixels(width: Int, height: Int) -> PixelRectangle? {
    let left = max(1, Self.whole(x1)) - 1
    let top = max(1, Self.whole(y1)) - 1
    let right = min(width, Self.whole(x2))
    let bottom = min(height, Self.whole(y2))
    guard right > left && bottom > top else { return nil }
    return PixelRectangle(x: left, y: top, width: right - left, height: bottom - top)
  }

  /// The value rounded towards zero and limited to 2^30 in either direction; 0 for NaN.
  private static func whole(_ value: Float) -> Int {
    let limit = Float(1 << 30)
    return value.isNaN ? 0 : Int(max(-limit, min(limit, value)))
  }
}
