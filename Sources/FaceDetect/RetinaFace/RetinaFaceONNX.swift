import DeepfakeCore

extension StateDict {
  /// For an ONNX model of RetinaFace, its tensors with the keys of a published checkpoint; for any
  /// other file, the tensors unchanged.
  ///
  /// Exports fold batch norm into the convolutions and lose names. Each convolution of the graph is
  /// identified by the convolutions that it reads and by the shape of its weights. A norm that was
  /// folded in becomes one that only adds the convolution's bias.
  /// - Throws: `WeightsError.unreadable` with the first difference if the graph is not
  ///   RetinaFace's.
  public func renamedFromRetinaFaceGraph() throws(WeightsError) -> StateDict {
    guard let graph else { return self }
    // The shape of the first convolution identifies the backbone.
    let first = try graph.layers(self).shapes.first
    if let backbone = RetinaFaceBackbone.allCases.first(where: { $0.firstShape == first }) {
      let store = ParameterStore()
      let network = PlainRetinaFace(backbone, store.root)
      let model: ONNXModel
      do {
        // The size of a file's frames does not matter: no padding depends on it.
        model = try ONNXModel(structureOf: store, ONNXModel.ImageInput(size: 64)) { frames in
          let output = network(frames)
          return [
            ("boxes", output.boxes), ("scores", output.logits), ("landmarks", output.landmarks),
          ]
        }
      } catch {
        throw .unreadable(file: file, reason: error.description)
      }
      return try ONNXMatch(self, model, title: "RetinaFace").state()
    }
    throw .unreadable(
      file: file,
      reason: "its graph does not match a RetinaFace detector with a mobilenet0.25 or ResNet-50"
        + " backbone: it begins with "
        + (first.map { "a convolution of shape \($0)" } ?? "no convolution"))
  }
}

extension RetinaFaceBackbone {
  /// The shape of its first convolution's weights.
  fileprivate var firstShape: [Int] {
    switch self {
    case .mobileNet: [8, 3, 3, 3]
    case .resNet50: [64, 3, 7, 7]
    }
  }
}
