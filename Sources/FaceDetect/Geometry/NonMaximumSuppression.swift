/// Greedy non-maximum suppression: of faces that overlap strongly, keeps the one with the highest
/// score.
package struct NonMaximumSuppression: Sendable {
  /// How a box's width and height are counted for the overlap.
  package enum Extent: Sendable {
    /// x2 - x1.
    case continuous
    /// x2 - x1 + 1: corners are pixels that belong to the box, as in the published detectors. It
    /// makes a difference for small faces.
    case inclusive
  }

  /// A face is dropped if its IoU with a kept face of a higher score is above this.
  package var threshold: Float
  package var extent: Extent

  package init(threshold: Float, extent: Extent) {
    self.threshold = threshold
    self.extent = extent
  }

  /// The faces that are kept, by falling score; equal scores keep their order. Faces with numbers
  /// that are not finite are dropped.
  package func callAsFunction(_ faces: [Face]) -> [Face] {
    let sorted = faces.filter(\.isFinite).sortedByScore()
    let extra: Float = extent == .inclusive ? 1 : 0
    var kept: [Face] = []
    // The boxes and areas of the kept faces, for comparison with the following faces.
    var keptBoxes: [(box: Box, area: Float)] = []
    for face in sorted {
      let box = face.box
      let area = max(0, box.x2 - box.x1 + extra) * max(0, box.y2 - box.y1 + extra)
      let overlaps = keptBoxes.contains { other in
        let width = min(box.x2, other.box.x2) - max(box.x1, other.box.x1) + extra
        let height = min(box.y2, other.box.y2) - max(box.y1, other.box.y1) + extra
        guard width > 0 && height > 0 else { return false }
        let shared = width * height
        return shared > threshold * (area + other.area - shared)
      }
      guard !overlaps else { continue }
      kept.append(face)
      keptBoxes.append((box, area))
    }
    return kept
  }
}

extension [Face] {
  /// Sorted by falling score; equal scores keep their order.
  func sortedByScore() -> [Face] {
    enumerated()
      .sorted { ($1.element.score, $0.offset) < ($0.element.score, $1.offset) }
      .map(\.element)
  }
}
