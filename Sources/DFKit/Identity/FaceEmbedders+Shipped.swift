import Classifiers
import DeepfakeCore
import Foundation

extension FaceEmbedders {
  /// The embedder in a weights file (see `read`), or, if `file` is nil, the one that ships inside
  /// the program.
  ///
  /// - Throws: `WeightsError` and `ClassifierError` if the weights cannot be used.
  package static func load(_ file: URL?) throws -> any FaceEmbedder {
    if let file { return try read(file) }
    guard let shipped = ShippedWeights.named("look-alike") else {
      preconditionFailure("FaceEmbedders: the look-alike network does not ship")
    }
    return try embedder(try shipped.read())
  }
}
