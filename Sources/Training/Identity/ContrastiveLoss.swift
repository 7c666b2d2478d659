import DeepfakeCore

/// The supervised contrastive loss (Khosla et al. 2020) of embeddings of length 1: each view is to be nearer
/// to the other views of its face than to those of any other, those of past batches included (Wang et al.
/// 2020, "Cross-Batch Memory for Embedding Learning"). Faces of which it is not known whether they are
/// one person's do not count against each other.
struct ContrastiveLoss: Sendable {
  /// What similarities are divided by.
  var temperature: Float = 0.1

  /// Low enough that its exponential is 0.
  private static let excluded: Float = -1e9

  /// The mean over views.
  ///
  /// - Parameters:
  ///   - embeddings: [views, dimension], each of length 1.
  ///   - faces: whose each is; every one has at least two views.
  ///   - memory: past views, constants.
  func callAsFunction(
    _ embeddings: Tensor, faces: [FaceIdentity], memory: EmbeddingMemory
  ) -> Tensor {
    precondition(
      embeddings.rank == 2 && embeddings.shape[0] == faces.count,
      "ContrastiveLoss: \(faces.count) faces do not fit embeddings \(embeddings.shape)")
    let past = memory.embeddings
    let others = past.map { Tensor.concatenated([embeddings, $0], axis: 0) } ?? embeddings
    let all = faces + memory.faces
    let shape = [faces.count, all.count]
    let mask = Tensor(shape: shape) { mask in
      for (row, face) in faces.enumerated() {
        for (column, other) in all.enumerated() {
          let counts =
            face.differs(from: other) || column != row && column < faces.count && face == other
          mask[row * all.count + column] = counts ? 0 : Self.excluded
        }
      }
    }
    let targets = Tensor(shape: shape) { targets in
      targets.initialize(repeating: 0)
      for (row, face) in faces.enumerated() {
        let same = faces.indices.filter { $0 != row && faces[$0] == face }
        for column in same { targets[row * all.count + column] = 1 / Float(same.count) }
      }
    }
    let logits = embeddings.matmul(others, transposingRight: true) * (1 / temperature) + mask
    return logits.crossEntropy(probabilities: targets)
  }
}

/// The embeddings of the last batches' views.
struct EmbeddingMemory: Sendable {
  /// Views that are remembered at most.
  let capacity: Int
  private(set) var faces: [FaceIdentity] = []
  private var values: [Float] = []
  private var dimension = 0

  init(capacity: Int) {
    self.capacity = capacity
  }

  /// [views, dimension]; nil while there are none.
  var embeddings: Tensor? {
    faces.isEmpty ? nil : Tensor(values, shape: [faces.count, dimension])
  }

  /// Adds a batch's views and forgets the oldest.
  mutating func add(_ embeddings: Tensor, faces new: [FaceIdentity]) {
    guard capacity > 0 else { return }
    dimension = embeddings.shape[1]
    faces += new
    values += embeddings.scalars
    let excess = max(0, faces.count - capacity)
    faces.removeFirst(excess)
    values.removeFirst(excess * dimension)
  }
}
