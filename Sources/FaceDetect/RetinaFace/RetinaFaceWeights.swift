import DeepfakeCore

extension RetinaFaceBackbone {
  /// Recognises the backbone by the published keys or by the ONNX graph; nil if the file is not
  /// RetinaFace's.
  package init?(recognizing state: StateDict) {
    guard let state = try? state.renamedFromRetinaFaceGraph(),
      let found = Self.found(in: state)
    else { return nil }
    self = found.backbone
  }

  /// The backbone with these keys, and the prefix of all keys (`module.` of DataParallel, or any
  /// other common prefix).
  fileprivate static func found(
    in state: StateDict
  ) -> (backbone: RetinaFaceBackbone, prefix: String)? {
    for prefix in state.commonPrefixes() + [parallelPrefix] {
      let backbone = allCases.first { kind in
        ["fpn.output1.0.weight", "ClassHead.0.conv1x1.weight", kind.distinctiveKey].allSatisfy {
          key in
          state[prefix + key] != nil
        }
      }
      if let backbone { return (backbone, prefix) }
    }
    return nil
  }

  /// A key that only this backbone has.
  private var distinctiveKey: String {
    switch self {
    case .mobileNet: "body.stage1.0.0.weight"
    case .resNet50: "body.layer1.0.conv1.weight"
    }
  }

  /// The prefix that PyTorch's DataParallel adds to every key.
  fileprivate static let parallelPrefix = "module."
}

extension PlainRetinaFace {
  /// Loads a published checkpoint, or an ONNX model of the network, into `store`. Throws a
  /// `mismatch` with all wrong keys.
  package static func load(_ state: StateDict, into store: ParameterStore) throws(WeightsError) {
    let published = try state.renamedFromRetinaFaceGraph()
    let prefix = RetinaFaceBackbone.found(in: published)?.prefix ?? ""
    let renamed = try published.renamingKeys { key in
      // Only PyTorch uses batch norm's step counter.
      if key.hasSuffix(".num_batches_tracked") { return nil }
      return key.hasPrefix(prefix) ? String(key.dropFirst(prefix.count)) : key
    }
    try store.load(renamed, strict: true)
  }
}

extension RetinaFaceFamily {
  func onnxModels(
    _ weights: StateDict, size: Size2d?
  ) throws -> [(part: String, model: ONNXModel)] {
    let state = try weights.renamedFromRetinaFaceGraph()
    guard let backbone = RetinaFaceBackbone(recognizing: state) else {
      throw WeightsError.unreadable(
        file: weights.file, reason: "its tensors do not match RetinaFace")
    }
    let store = ParameterStore()
    let network = PlainRetinaFace(backbone, store.root)
    try PlainRetinaFace.load(state, into: store)
    let input = ONNXModel.ImageInput(
      size: size ?? Size2d(height: 96, width: 128), hasOpenSize: size == nil)
    var model = try ONNXModel(tracing: input) { frames in
      let output = network(frames)
      return [
        ("boxes", output.boxes), ("scores", output.logits.softmax(axis: 2)),
        ("landmarks", output.landmarks),
      ]
    }
    model.name = "retinaface-\(backbone.rawValue)"
    model.describe(
      DetectorFamilies.description(
        model.name, scheme: "retinaface", norm: .batch, RetinaFace.normalization))
    model.metadata["outputs"] =
      "boxes and landmarks are offsets from anchors of 16 and 32, 64 and 128, 256 and 512 pixels,"
      + " 8, 16 and 32 pixels apart, with variances 0.1 and 0.2; scores are background, face"
    return [("", model)]
  }
}
