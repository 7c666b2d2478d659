/// Greedy non-maximum suppression: of faces that overlap much, the surest stays.
package struct NonMaximumSuppression: Sendable {
  /// How a box's extent is counted when overlap is measured.
  package enum Extent: Sendable {
    /// x2 - x1.
    case continuous
    /// x2 - x1 + 1, as when corners are pixels that belong to the box: what the published detectors
    /// were tuned with. It matters for small faces.
    case inclusive
  }

  /// Faces with a larger intersection over union than this with a surer face are dropped.
  package var threshold: Float
  package var extent: Extent

  package init(threshold: Float, extent: Extent) {
    self.threshold = threshold
    self.extent = extent
  }

  /// The faces that stay, surest first; of equally sure ones, the earlier comes first. Faces that
  /// are not finite in every number are dropped.
  package func callAsFunction(_ faces: [Face]) -> [Face] {
    let sorted = faces.filter(\.isFinite).sortedBySureness()
    let extra: Float = extent == .inclusive ? 1 : 0
    var kept: [Face] = []
    // Beside the faces, what every further face is compared with, without their landmarks.
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
  /// By falling score; equal scores keep their order.
  func sortedBySureness() -> [Face] {
    enumerated()
      .sorted { ($1.element.score, $0.offset) < ($0.element.score, $1.offset) }
      .map(\.element)
  }
}
