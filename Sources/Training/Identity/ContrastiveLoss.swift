import DeepfakeCore

/// The supervised contrastive loss (Khosla et al. 2020) of embeddings of length 1: each view is to
/// be nearer to the other views of its face than to those of any other. Faces of which it is not
/// known whether they are one person's do not count against each other.
package struct ContrastiveLoss: Sendable {
  /// What similarities are divided by.
  package var temperature: Float

  /// A loss at a temperature.
  package init(temperature: Float) {
    self.temperature = temperature
  }

  /// Low enough that its exponential is 0.
  private static let excluded: Float = -1e9

  /// The mean over views.
  ///
  /// - Parameters:
  ///   - embeddings: [views, dimension], each of length 1.
  ///   - faces: whose each is; every one has at least two views.
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
