import DeepfakeCore

/// The supervised contrastive loss (Khosla et al. 2020) of embeddings of length 1. It makes each
/// view more similar to the other views of its face than to views of other faces. Pairs of faces
/// that may be the same person are left out.
package struct ContrastiveLoss: Sendable {
  /// The divisor of the similarities.
  package var temperature: Float

  package init(temperature: Float) {
    self.temperature = temperature
  }

  /// A logit so low that its exponential is 0.
  private static let excluded: Float = -1e9

  /// The mean loss over views.
  ///
  /// - Parameters:
  ///   - embeddings: [views, dimension], each row of length 1.
  ///   - faces: The face of each view. Every face has at least two views.
  package func callAsFunction(_ embeddings: Tensor, faces: [FaceIdentity]) -> Tensor {
    let count = faces.count
    precondition(
      embeddings.rank == 2 && embeddings.shape[0] == count,
      "ContrastiveLoss: \(count) faces do not fit embeddings \(embeddings.shape)")
    let mask = Tensor(shape: [count, count]) { mask in
      for (row, face) in faces.enumerated() {
        for (column, other) in faces.enumerated() {
          let counts = face.differs(from: other) || column != row && face == other
          mask[row * count + column] = counts ? 0 : Self.excluded
        }
      }
    }
    let targets = Tensor(shape: [count, count]) { targets in
      targets.initialize(repeating: 0)
      for (row, face) in faces.enumerated() {
        let same = faces.indices.filter { $0 != row && faces[$0] == face }
        for column in same { targets[row * count + column] = 1 / Float(same.count) }
      }
    }
    let logits = embeddings.matmul(embeddings, transposingRight: true) * (1 / temperature) + mask
    return logits.crossEntropy(probabilities: targets)
  }
}
