/// Greedy non-maximum suppression between MTCNN's stages. It reproduces the published code bit by
/// bit, so that the same candidates are kept.
package struct CandidateSuppression: Sendable {
  /// How the overlap of two boxes is measured.
  package enum Measure: Sendable {
    /// Intersection over union, as in torchvision's `nms`. Widths are differences of edges. Of
    /// candidates with the same score, the earlier one comes first.
    case union
    /// Intersection over the smaller box, as in facenet-pytorch's "Min". Widths are differences
    /// plus one. Of candidates with the same score, the later one comes first.
    case smaller
  }

  /// The box and area of a kept candidate.
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

  /// The candidates that are kept, by falling score: those whose overlap with every kept candidate
  /// of a higher score is not above the threshold. Only the `limit` highest scores are considered.
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
