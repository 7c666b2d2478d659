import DeepfakeCore

/// A network that maps face crops to embeddings: vectors that lie close together for similar faces.
/// It was trained to tell people apart, or to find the same face again.
///
/// ```swift
/// let rows = try embedder.embeddings([crop, other])
/// let likeness = rows.matmul(rows, transposingRight: true)[0, 1]
/// print(likeness >= embedder.lookAlikeThreshold ? "alike" : "not alike")
/// ```
public protocol FaceEmbedder: Sendable {
  /// The embedder's name with a hash of its weights, used in caches and reports.
  var name: String { get }
  /// The number of elements of an embedding.
  var dimension: Int { get }
  /// Two faces count as look-alikes if the dot product of their embeddings is at least this.
  var lookAlikeThreshold: Float { get }

  /// The crops' embeddings, [crops, `dimension`], each of length 1. A mirrored crop has nearly the
  /// same embedding.
  func embeddings(_ crops: [Image]) throws -> Tensor
}
