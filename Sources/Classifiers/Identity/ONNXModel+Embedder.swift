import DeepfakeCore

extension ONNXModel {
  /// A face embedder as an ONNX model. Its output is `embedding`, of unit length: that of the crop
  /// alone (`LookAlikeEmbedder` also adds that of its mirror image).
  ///
  /// - Throws: `ClassifierError.unrecognised` if the weights are not an embedder's, `WeightsError`
  ///   if they do not fit; `ONNXExportError` if ONNX cannot say what the network computes.
  package init(embedder state: StateDict) throws {
    let input: InputSpec
    switch try FaceEmbedders.recognised(state) {
    case .inceptionResnet(let state):
      let network = try InceptionResnetEmbedder.network(state)
      input = InceptionResnetEmbedder.input
      try self.init(tracing: ImageInput(size: Size2d(input.size))) {
        [("embedding", network($0, .inference).scaledToUnitLength())]
      }
      name = InceptionResnetEmbedder.architecture
    case .lookAlike(let state):
      input = try LookAlikeEmbedder.input(of: try ModelMetadata(state), file: state.file)
      let network = LookAlikeNetwork()
      try network.store.load(state)
      try self.init(tracing: ImageInput(size: Size2d(input.size))) {
        [("embedding", network($0, .inference))]
      }
      name = LookAlikeEmbedder.architecture
    }
    var description = try ModelMetadata(state)
    description.architecture = name
    description.describe(input)
    describe(description)
  }
}
