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

  /// The faces that stay, surest first; of equally sure ones, the earlier comes first. Faces with a
  /// score of NaN or a box that is not finite are dropped.
  package func callAsFunction(_ faces: [Face]) -> [Face] {
    let sorted = faces.filter { $0.box.isFinite && !$0.score.isNaN }.sortedBySureness()
    let extra: Float = extent == .inclusive ? 1 : 0
    var kept: [Face] = []
    var keptAreas: [Float] = []
    for face in sorted {
      let box = face.box
      let area = max(0, box.x2 - box.x1 + extra) * max(0, box.y2 - box.y1 + extra)
      let overlaps = kept.indices.contains { i in
        let other = kept[i].box
        let width = min(box.x2, other.x2) - max(box.x1, other.x1) + extra
        let height = min(box.y2, other.y2) - max(box.y1, other.y1) + extra
        guard width > 0 && height > 0 else { return false }
        let shared = width * height
        return shared > threshold * (area + keptAreas[i] - shared)
      }
      guard !overlaps else { continue }
      kept.append(face)
      keptAreas.append(area)
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
