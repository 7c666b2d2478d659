import Classifiers
import DeepfakeCore
import Foundation

extension FaceEmbedders {
  /// The embedder of a weights file (see `read`), or dfkit's own, whose weights are part of the
  /// program.
  ///
  /// - Throws: `WeightsError`, `ClassifierError`.
  package static func load(_ file: URL?) throws -> any FaceEmbedder {
    if let file { return try read(file) }
    guard let shipped = ShippedWeights.named("look-alike") else {
      preconditionFailure("FaceEmbedders: the look-alike network does not ship")
    }
    return try embedder(try shipped.read())
  }
}
