import DeepfakeCore
import Foundation

/// The three networks, loaded and packed.
package struct MTCNNNetworks: Sendable {
  package let pnet: PNet
  package let rnet: CropNet
  package let onet: CropNet

  /// Loads weights with the keys `pnet.*`, `rnet.*` and `onet.*`. Throws a `mismatch` with all
  /// wrong keys, or an error that names the network that the weights are for.
  package init(_ weights: StateDict) throws(WeightsError) {
    guard MTCNNPart.areSeveral(in: weights) else { throw Self.refusal(of: weights) }
    let store = ParameterStore()
    let layers = MTCNNLayers(store.root)
    try store.load(weights, strict: true)
    pnet = layers.pnet.packed()
    rnet = layers.rnet.packed()
    onet = layers.onet.packed()
  }

  /// The error for weights that are not a complete MTCNN.
  private static func refusal(of weights: StateDict) -> WeightsError {
    let reason =
      if let part = MTCNNPart.alone(in: weights) {
        "it is only \(part.name) of MTCNN. Name the folder that contains pnet.pt, rnet.pt and"
          + " onet.pt, or the file that 'dfkit weights convert' makes from the three"
      } else if let other = DetectorWeights(recognizing: weights) {
        "it is \(other.text), not MTCNN; name the detector"
          + " \(other.detector)"
      } else {
        "its tensors do not match MTCNN; the first is \(weights.keys.first ?? "missing")"
      }
    return .unreadable(file: weights.file, reason: reason)
  }
}

/// One of MTCNN's networks; raw values are prefixes of keys and names of files.
package enum MTCNNPart: String, Sendable, CaseIterable {
  /// Proposes candidates.
  case pnet
  /// Refines the candidates.
  case rnet
  /// Decides on the candidates and finds landmarks.
  case onet

  /// The network's name in papers, such as "P-Net".
  package var name: String { "\(rawValue.prefix(1).uppercased())-Net" }

  /// Throws unless the file's tensors are exactly those of this network.
  fileprivate func check(_ weights: StateDict) throws(WeightsError) {
    let store = ParameterStore()
    switch self {
    case .pnet: _ = PNetLayers(store.root)
    case .rnet: _ = RNetLayers(store.root)
    case .onet: _ = ONetLayers(store.root)
    }
    try store.load(weights, strict: true)
  }
}

extension MTCNNPart {
  /// Whether the weights include at least two of MTCNN's networks.
  static func areSeveral(in weights: StateDict) -> Bool {
    allCases.count { weights["\($0.rawValue).conv1.weight"] != nil } > 1
  }

  /// The network, if the weights are those of a single one, with its own keys or with its name as a
  /// prefix; otherwise nil.
  static func alone(in weights: StateDict) -> MTCNNPart? {
    func has(_ keys: String...) -> Bool { keys.allSatisfy { weights[$0] != nil } }
    let named = allCases.filter { has("\($0.rawValue).conv1.weight") }
    if let part = named.first { return named.count == 1 ? part : nil }
    guard has("conv1.weight", "prelu1.weight") else { return nil }
    if has("conv4_1.weight") { return .pnet }
    if has("dense4.weight", "dense5_1.weight") { return .rnet }
    return has("dense5.weight", "dense6_1.weight") ? .onet : nil
  }
}

extension MTCNN {
  /// Reads MTCNN's weights from a folder or a file. A folder has `pnet.pt`, `rnet.pt` and
  /// `onet.pt`, as facenet-pytorch publishes them; names such as `mtcnn-pnet.pt` and the extensions
  /// `.pth` and `.safetensors` are accepted too. A file has all tensors with the prefixes `pnet.`,
  /// `rnet.` and `onet.`.
  ///
  /// Throws `WeightsError` if a file is missing, cannot be read, or is not of its network.
  public static func readWeights(_ url: URL) throws(WeightsError) -> StateDict {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder),
      isFolder.boolValue
    else { return try StateDict.read(url) }
    let files = MTCNNPart.allCases.map { (part: $0, file: file(of: $0, in: url)) }
    let missing = files.filter { $0.file == nil }.map { "\($0.part.rawValue).pt" }
    guard missing.isEmpty else {
      throw .unreadable(
        file: url.relativePath,
        reason:
          "it is a folder without \(missing.joined(separator: ", ")). Name a file, or for MTCNN a"
          + " folder with pnet.pt, rnet.pt and onet.pt")
    }
    var all = StateDict(tensors: [], file: url.relativePath)
    for case (let part, let file?) in files {
      let state = try StateDict.read(file)
      try part.check(state)
      for key in state.keys { all["\(part.rawValue).\(key)"] = state[key] }
    }
    return all
  }

  private static func file(of part: MTCNNPart, in folder: URL) -> URL? {
    let names = ["", "mtcnn-"].flatMap { prefix in
      ["pt", "pth", "safetensors"].map { "\(prefix)\(part.rawValue).\($0)" }
    }
    return names.map(folder.appendingPathComponent)
      .first { FileManager.default.fileExists(atPath: $0.path) }
  }
}

extension MTCNNFamily {
  func onnxModels(
    _ weights: StateDict, size: Size2d?
  ) throws -> [(part: String, model: ONNXModel)] {
    // Checks that the weights are those of all three networks.
    _ = try MTCNNNetworks(weights)
    let store = ParameterStore()
    let layers = MTCNNLayers(store.root)
    try store.load(weights, strict: true)
    return try MTCNNPart.allCases.map { part in
      let side: Size2d? =
        switch part {
        case .pnet: size
        case .rnet: 24
        case .onet: 48
        }
      let input = ONNXModel.ImageInput(size: side ?? 40, hasOpenSize: side == nil)
      var model = try ONNXModel(tracing: input) { layers.outputs(of: part, $0) }
      model.name = "mtcnn-\(part.rawValue)"
      model.describe(
        DetectorFamilies.description(
          model.name, scheme: "facenet-pytorch", norm: nil, MTCNNLayers.normalization))
      return (part.rawValue, model)
    }
  }
}
