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

  /// The weights of an embedder, without a prefix that all keys share, by its kind.
  enum Recognised {
    case inceptionResnet(StateDict)
    case lookAlike(StateDict)
  }

  /// Creates an embedder from weights in memory.
  ///
  /// - Throws: `WeightsError`, `ClassifierError`.
  package static func embedder(_ state: StateDict) throws -> any FaceEmbedder {
    switch try recognised(state) {
    case .inceptionResnet(let state): try InceptionResnetEmbedder(state)
    case .lookAlike(let state): try LookAlikeEmbedder(state)
    }
  }

  /// Whether weights are an embedder's.
  package static func recognises(_ state: StateDict) -> Bool {
    (try? recognised(state)) != nil
  }

  /// The kind of embedder that weights belong to.
  ///
  /// - Throws: `ClassifierError.unrecognised` if they are not an embedder's.
  static func recognised(_ state: StateDict) throws(ClassifierError) -> Recognised {
    func isLookAlike(_ state: StateDict) -> Bool {
      state["embedding.weight"] != nil && state["conv_stem.weight"] != nil
    }
    let state = state.strippingCommonPrefix {
      InceptionResnetEmbedder.recognises($0) || isLookAlike($0)
    }
    if InceptionResnetEmbedder.recognises(state) { return .inceptionResnet(state) }
    guard
      state.metadata["architecture"] == LookAlikeEmbedder.architecture
        || isLookAlike(state)
    else {
      throw .unrecognised(
        file: state.file, what: "face embedder",
        choices: [LookAlikeEmbedder.architecture, InceptionResnetEmbedder.architecture])
    }
    return .lookAlike(state)
  }
}
