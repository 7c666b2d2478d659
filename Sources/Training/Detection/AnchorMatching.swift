import FaceDetect

/// Assigns faces of a picture to anchors (Liu et al., "SSD: Single Shot MultiBox Detector", 2016),
/// as in biubug6's RetinaFace.
package struct AnchorMatching: Sendable {
  /// The target of an anchor.
  package enum Assignment: Sendable, Equatable {
    /// The anchor should predict no face.
    case background
    /// The anchor should predict the face with this index.
    case face(Int)
    /// The anchor's prediction does not count.
    case ignored
  }

  /// Anchors with at least this IoU with a face are assigned to it.
  package var threshold: Float = 0.35
  /// Minimum IoU at which the best anchor of a face is assigned to it, even if it is below
  /// `threshold`.
  package var minimumOverlap: Float = 0.2
  /// Unassigned anchors with at least this IoU with a face are ignored; nil: none are. The
  /// published code ignores none; the paper does.
  package var ignoredOverlap: Float?

  /// The thresholds of the published code.
  package init() {}

  /// The assignment of each anchor of a grid, in the order of the network's outputs.
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
        } else if let ignoredOverlap, overlap >= ignoredOverlap {
          result[anchor] = .ignored
        }
      }
    }
    for (number, face) in faces.enumerated() {
      var best: (anchor: Int, overlap: Float) = (0, 0)
      Self.forEachOverlap(of: grid, with: face) { anchor, overlap in
        if overlap > best.overlap { best = (anchor, overlap) }
      }
      if best.overlap >= minimumOverlap { result[best.anchor] = .face(number) }
    }
    return result
  }

  /// Calls `body` with each anchor that overlaps a box, by rising index, and its IoU.
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

  /// The range of cells whose centres may lie between two coordinates.
  private static func cells(_ low: Float, _ high: Float, _ stride: Int, _ count: Int) -> Range<Int>
  {
    let limit = Float(count)
    let from = min(max((low / Float(stride) - 0.5).rounded(.down), 0), limit)
    let to = min(max((high / Float(stride) + 0.5).rounded(.up), 0), limit)
    return Int(from)..<max(Int(from), Int(to))
  }
}
