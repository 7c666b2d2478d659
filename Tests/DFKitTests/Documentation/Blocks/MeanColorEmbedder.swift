import DFKit

/// Faces with the same mean colour are alike. (An example, not an embedder to use.)
struct MeanColorEmbedder: FaceEmbedder {
  var name: String { "mean-color-1" }
  var dimension: Int { 3 }
  var lookAlikeThreshold: Float { 0.99 }

  /// Rows of length 1, [crop, 3].
  func embeddings(_ crops: [Image]) throws -> Tensor {
    let rows = crops.map { crop in
      let small = crop.resized(width: 1, height: 1, method: .area)[0, 0]
      let color = [small.red, small.green, small.blue].map { Float($0) + 1 }
      let length = color.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return color.map { $0 / length }
    }
    return Tensor(rows.flatMap { $0 }, shape: [crops.count, 3])
  }
}
