import DeepfakeCore
import Foundation

/// Loads embedders of every supported kind.
package enum FaceEmbedders {
  /// Reads an embedder from a weights file: dfkit's own, or facenet-pytorch's InceptionResnetV1.
  /// The keys tell which one it is.
  ///
  /// - Throws: `WeightsError`, `ClassifierError`.
  package static func read(_ file: URL) throws -> any FaceEmbedder {
    try embedder(try StateDict.read(file))
  }

  /// Creates an embedder from weights in memory.
  ///
  /// - Throws: `WeightsError`, `ClassifierError`.
  package static func embedder(_ state: StateDict) throws -> any FaceEmbedder {
    func isLookAlike(_ state: StateDict) -> Bool {
      state["embedding.weight"] != nil && state["conv_stem.weight"] != nil
    }
    let state = state.strippingCommonPrefix {
      InceptionResnetEmbedder.recognises($0) || isLookAlike($0)
    }
    if InceptionResnetEmbedder.recognises(state) { return try InceptionResnetEmbedder(state) }
    guard
      state.metadata["architecture"] == LookAlikeEmbedder.architecture
        || isLookAlike(state)
    else {
      throw ClassifierError.unrecognised(
        file: state.file, what: "face embedder",
        choices: [LookAlikeEmbedder.architecture, InceptionResnetEmbedder.architecture])
    }
    return try LookAlikeEmbedder(state)
  }
}
