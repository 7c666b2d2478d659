/// Greedy non-maximum suppression between MTCNN's stages, decided to the last bit as the published
/// code does, so that the same candidates stay.
package struct CandidateSuppression: Sendable {
  /// What the shared area is measured against, and how extents are counted.
  package enum Measure: Sendable {
    /// The union, as torchvision's `nms`: extents are differences of edges. Of equally sure
    /// candidates the earlier one is looked at first.
    case union
    /// The smaller of the two, as facenet-pytorch's "Min": extents are differences plus one. Of
    /// equally sure candidates the later one is looked at first.
    case smaller
  }

  /// What is compared with every further candidate of one that stays.
  private struct Kept {
    var box: Box
    var area: Float
  }

  package var threshold: Float
  package var measure: Measure

  package init(threshold: Float, measure: Measure = .union) {
    self.threshold = threshold
    self.measure = measure
  }

  /// The candidates that overlap no surer one that stays by more than the threshold, surest first.
  /// Only the `limit` surest are looked at.
  package func callAsFunction(_ candidates: [Candidate], limit: Int = .max) -> [Candidate] {
    let extra: Float = measure == .smaller ? 1 : 0
    var kept: [Kept] = []
    var result: [Candidate] = []
    for index in order(candidates).prefix(limit) {
      let box = candidates[index].box
      let area = (box.x2 - box.x1 + extra) * (box.y2 - box.y1 + extra)
      let isDuplicate = kept.withUnsafeBufferPointer { kept in
        kept.contains { other in
          let width = max(0, min(box.x2, other.box.x2) - max(box.x1, other.box.x1) + extra)
          let height = max(0, min(box.y2, other.box.y2) - max(box.y1, other.box.y1) + extra)
          let shared = width * height
          switch measure {
          case .union: return shared > 0 && shared / (area + other.area - shared) > threshold
          case .smaller: return !(shared / min(area, other.area) <= threshold)
          }
        }
      }
      guard !isDuplicate else { continue }
      kept.append(Kept(box: box, area: area))
      result.append(candidates[index])
    }
    return result
  }

  /// Indices by falling score.
  private func order(_ candidates: [Candidate]) -> [Int] {
    let scored = candidates.enumerated().map { (score: $0.element.score, index: $0.offset) }
    let laterFirst = measure == .smaller
    return
      scored
      .sorted { a, b in
        a.score != b.score ? a.score > b.score : (a.index > b.index) == laterFirst
      }
      .map(\.index)
  }
}
