import DeepfakeCore

extension RetinaFaceBackbone {
  /// The backbone whose published keys these are, or whose ONNX graph it is; nil where they are not
  /// RetinaFace's.
  package init?(recognizing state: StateDict) {
    guard let state = try? state.renamedFromRetinaFaceGraph(),
      let found = Self.found(in: state)
    else { return nil }
    self = found.backbone
  }

  /// The backbone whose keys these are, and what stands before each (`module.` of DataParallel, or
  /// what else all keys begin with).
  fileprivate static func found(
    in state: StateDict
  ) -> (backbone: RetinaFaceBackbone, prefix: String)? {
    for prefix in state.commonPrefixes() + [parallelPrefix] {
      let backbone = allCases.first { kind in
        ["fpn.output1.0.weight", "ClassHead.0.conv1x1.weight", kind.tellingKey].allSatisfy { key in
          state[prefix + key] != nil
        }
      }
      if let backbone { return (backbone, prefix) }
    }
    return nil
  }

  /// A key that only this backbone has.
  private var tellingKey: String {
    switch self {
    case .mobileNet: "body.stage1.0.0.weight"
    case .resNet50: "body.layer1.0.conv1.weight"
    }
  }

  /// What PyTorch's DataParallel puts before every key.
  fileprivate static let parallelPrefix = "module."
}

extension PlainRetinaFace {
  /// Fills the parameters in `store` from a published checkpoint, or from an ONNX model of the
  /// network. Throws a `mismatch` that lists every key at fault.
  package static func load(_ state: StateDict, into store: ParameterStore) throws(WeightsError) {
    let published = try state.renamedFromRetinaFaceGraph()
    let prefix = RetinaFaceBackbone.found(in: published)?.prefix ?? ""
    let renamed = try published.renamingKeys { key in
      // Batch norm's step counter is of no use to anyone but PyTorch.
      if key.hasSuffix(".num_batches_tracked") { return nil }
      return key.hasPrefix(prefix) ? String(key.dropFirst(prefix.count)) : key
    }
    try store.load(renamed, strict: true)
  }
}
