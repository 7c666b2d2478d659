import DeepfakeCore

/// Anything that says where faces lie in a space in which alike ones are near: a network trained to
/// tell people apart, or to find the same face again.
///
/// ```swift
/// let rows = try embedder.embeddings([crop, other])
/// let likeness = rows.matmul(rows, transposingRight: true)[0, 1]
/// print(likeness >= embedder.lookAlikeThreshold ? "alike" : "not alike")
/// ```
public protocol FaceEmbedder: Sendable {
  /// What the embedder is called, with a hash of its weights: caches and reports carry it.
  var name: String { get }
  /// Numbers an embedding has.
  var dimension: Int { get }
  /// The dot product of two embeddings from which two faces count as alike.
  var lookAlikeThreshold: Float { get }

  /// The crops' embeddings, [crops, `dimension`], each of length 1. A mirrored crop's is nearly the
  /// same.
  func embeddings(_ crops: [Image]) throws -> Tensor
}
