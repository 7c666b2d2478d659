import CDFResources
import Classifiers
import DeepfakeCore
import Foundation

extension FaceEmbedders {
  /// The embedder of a weights file (see `read`), or dfkit's own, whose weights are part of the program.
  ///
  /// - Throws: `WeightsError`, `ClassifierError`.
  public static func load(_ file: URL?) throws -> any FaceEmbedder {
    if let file { return try read(file) }
    let resource = df_look_alike_weights()
    let bytes = UnsafeRawBufferPointer(start: resource.bytes, count: resource.count)
    return try embedder(.read(embedded: bytes, name: "built-in \(String(cString: resource.name))"))
  }
}
