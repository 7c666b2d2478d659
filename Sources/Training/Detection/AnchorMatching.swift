import FaceDetect

/// Which face of a picture each anchor is to describe (Liu et al., "SSD: Single Shot MultiBox
/// Detector", 2016), as biubug6's RetinaFace does it.
package struct AnchorMatching: Sendable {
  /// What an anchor is to say.
  package enum Assignment: Sendable, Equatable {
    /// There is no face.
    case background
    /// The face of that index.
    case face(Int)
    /// Anything.
    case ignored
  }

  /// Anchors with at least this intersection over union with a face describe it.
  package var threshold: Float = 0.35
  /// The best anchor of a face describes it whatever `threshold` says, if it has at least this
  /// much.
  package var leastOverlap: Float = 0.2
  /// Anchors with at least this with a face, but too little to describe it, may say anything. The
  /// published code has none such; the paper has.
  package var leastIgnored: Float?

  /// The published numbers.
  package init() {}

  /// What each anchor of a grid is to say, in the order of the network's outputs.
  ///
  /// - Parameters:
  ///   - faces: The boxes of the faces.
  ///   - ignored: Boxes that count neither as faces nor as background.
  package func assignments(
    of grid: AnchorGrid, faces: [Box], ignored: [Box] = []
  ) -> [Assignment] {
    var overlaps = [Float](repeating: 0, count: grid.count)
    var result = [Assignment](repeating: .background, count: grid.count)
    for box in ignored {
      Self.forEachOverlap(of: grid, with: box) { anchor, overlap in
        if overlap >= threshold { result[anchor] = .ignored }
      }
    }
    for (number, face) in faces.enumerated() {
      Self.forEachOverlap(of: grid, with: face) { anchor, overlap in
        guard overlap > overlaps[anchor] else { return }
        overlaps[anchor] = overlap
        if overlap >= threshold {
          result[anchor] = .face(number)
        } else if let leastIgnored, overlap >= leastIgnored {
          result[anchor] = .ignored
        }
      }
    }
    for (number, face) in faces.enumerated() {
      var best: (anchor: Int, overlap: Float) = (0, 0)
      Self.forEachOverlap(of: grid, with: face) { anchor, overlap in
        if overlap > best.overlap { best = (anchor, overlap) }
      }
      if best.overlap >= leastOverlap { result[best.anchor] = .face(number) }
    }
    return result
  }

  /// Calls `body` with the anchors that meet a box, by rising index, and how much they do.
  private static func forEachOverlap(
    of grid: AnchorGrid, with box: Box, _ body: (Int, Float) -> Void
  ) {
    guard box.isFinite, box.area > 0 else { return }
    var first = 0
    for level in grid.levels {
      let reach = (level.sizes.max() ?? 0) / 2
      let rows = cells(box.y1 - reach, box.y2 + reach, level.stride, level.rows)
      let columns = cells(box.x1 - reach, box.x2 + reach, level.stride, level.columns)
      for row in rows {
        for column in columns {
          let cell = (row * level.columns + column) * level.sizes.count
          for kind in level.sizes.indices {
            let overlap = level[cell + kind].box.intersectionOverUnion(with: box)
            if overlap > 0 { body(first + cell + kind, overlap) }
          }
        }
      }
      first += level.count
    }
  }

  /// The cells whose centres may lie between two coordinates.
  private static func cells(_ low: Float, _ high: Float, _ stride: Int, _ count: Int) -> Range<Int>
  {
    let limit = Float(count)
    let from = min(max((low / Float(stride) - 0.5).rounded(.down), 0), limit)
    let to = min(max((high / Float(stride) + 0.5).rounded(.up), 0), limit)
    return Int(from)..<max(Int(from), Int(to))
  }
}
