import DeepfakeCore
import FaceData

/// Which faces that a teacher judged become samples with pseudo-labels.
///
/// It follows Xie et al., "Self-training with Noisy Student improves ImageNet classification" (CVPR
/// 2020): only faces of which the teacher is sure, as many of each class, the surest first.
package struct PseudoLabelRule: Sendable, Equatable {
  /// How sure the teacher must be: a face is kept with a probability of at least `sure`, or at most
  /// 1 - `sure`. 0.5 to 1.
  package var sure: Float = 0.9
  /// Whether as many fake as real faces are kept.
  package var isBalanced = true
  /// The most faces of each video and label that are kept; nil: no limit. For a face without a
  /// video, its person counts, or else its group. A face with none of these is always kept.
  package var perVideo: Int? = 10

  package init() {}

  /// Whether the teacher is sure of a face.
  func isSure(_ probability: Float) -> Bool {
    // 1 - 0.01 is a little less than 0.99 in floating point.
    max(probability, 1 - probability) >= sure - 1e-6
  }

  /// The label that belongs to a probability.
  static func label(_ probability: Float) -> FaceLabel { probability >= 0.5 ? .fake : .real }

  /// The indices of the faces to keep, in the order of the manifest.
  ///
  /// The surest faces are taken first. Among equally sure ones, the order is random, but the same
  /// in every call.
  ///
  /// - Parameter probabilities: The teacher's probability for each sample; nil: not judged.
  package func choice(_ manifest: FaceManifest, _ probabilities: [Float?]) -> [Int] {
    precondition(
      probabilities.count == manifest.count,
      "PseudoLabelRule: \(probabilities.count) probabilities of \(manifest.count) samples")
    var generator = SeededGenerator(seed: 0, label: "pseudo-labels")
    let order = (0..<manifest.count).shuffled(using: &generator)
    var candidates: [(index: Int, probability: Float, place: Int)] = []
    for (place, index) in order.enumerated() {
      if let probability = probabilities[index], isSure(probability) {
        candidates.append((index, probability, place))
      }
    }
    candidates.sort { a, b in
      let (first, second) = (abs(a.probability - 0.5), abs(b.probability - 0.5))
      return first != second ? first > second : a.place < b.place
    }
    var taken: [Key: Int] = [:]
    var kept: [FaceLabel: [Int]] = [:]
    for (index, probability, _) in candidates {
      let label = Self.label(probability)
      if let perVideo, let key = Key(manifest.table.rows[index], label) {
        guard taken[key, default: 0] < perVideo else { continue }
        taken[key, default: 0] += 1
      }
      kept[label, default: []].append(index)
    }
    if isBalanced {
      let least = FaceLabel.allCases.map { kept[$0]?.count ?? 0 }.min() ?? 0
      kept = kept.mapValues { Array($0.prefix(least)) }
    }
    return kept.values.joined().sorted()
  }

  /// Faces of one video and label; without a video, of one person or group.
  private struct Key: Hashable {
    let kind: Int
    let number: Int32
    let label: FaceLabel

    init?(_ row: SampleTable.Row, _ label: FaceLabel) {
      let numbers = [row.video, row.person, row.group]
      guard let kind = numbers.firstIndex(where: { $0 >= 0 }) else { return nil }
      self.kind = kind
      number = numbers[kind]
      self.label = label
    }
  }
}
