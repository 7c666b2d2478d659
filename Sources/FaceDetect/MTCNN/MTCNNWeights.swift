import DeepfakeCore
import Foundation

/// The three networks, loaded and ready.
package struct MTCNNNetworks: Sendable {
  package let pnet: PNet
  package let rnet: CropNet
  package let onet: CropNet

  /// The networks of weights with the keys `pnet.*`, `rnet.*`, `onet.*`. Throws a `mismatch` that lists every
  /// key at fault, or says which other network the weights are for.
  package init(_ weights: StateDict) throws(WeightsError) {
    switch DetectorWeights(recognizing: weights) {
    case .mtcnn: break
    case .mtcnnPart(let part):
      throw .unreadable(
        file: weights.file,
        reason: "it is \(part.name) of MTCNN alone. Give the folder that holds pnet.pt, rnet.pt and"
          + " onet.pt, or the one file that 'dfkit weights convert' makes of it")
    case .retinaface(let backbone):
      throw .unreadable(
        file: weights.file,
        reason: "it is a RetinaFace detector (\(backbone.rawValue)), not MTCNN; name the detector"
          + " retinaface")
    case nil:
      throw .unreadable(
        file: weights.file,
        reason: "its tensors are not MTCNN's; the first is \(weights.keys.first ?? "missing")")
    }
    let store = ParameterStore()
    let layers = MTCNNLayers(store.root)
    try store.load(weights, strict: true)
    pnet = layers.pnet.packed()
    rnet = layers.rnet.packed()
    onet = layers.onet.packed()
  }
}

/// One of MTCNN's networks; raw values are the prefixes of keys and the names of files.
public enum MTCNNPart: String, Sendable, CaseIterable {
  /// Proposes faces.
  case pnet
  /// Refines them.
  case rnet
  /// Decides, and finds landmarks.
  case onet

  /// The name as papers have it.
  public var name: String { "\(rawValue.prefix(1).uppercased())-Net" }

  /// Checks that a file's tensors are all of this network's and no others.
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

/// Which face detector a weights file is for.
public enum DetectorWeights: Sendable, Equatable {
  /// A whole RetinaFace.
  case retinaface(RetinaFaceBackbone)
  /// A whole MTCNN, or at least two of its networks.
  case mtcnn
  /// One network of MTCNN without the others.
  case mtcnnPart(MTCNNPart)

  /// The detector whose published keys these are, or nil.
  public init?(recognizing weights: StateDict) {
    if let backbone = RetinaFaceBackbone(recognizing: weights) {
      self = .retinaface(backbone)
      return
    }
    func has(_ key: String) -> Bool { weights[key] != nil }
    let parts = MTCNNPart.allCases.filter { has("\($0.rawValue).conv1.weight") }
    if let part = parts.first {
      self = parts.count == 1 ? .mtcnnPart(part) : .mtcnn
      return
    }
    guard has("conv1.weight"), has("prelu1.weight") else { return nil }
    if has("conv4_1.weight") {
      self = .mtcnnPart(.pnet)
    } else if has("dense4.weight"), has("dense5_1.weight") {
      self = .mtcnnPart(.rnet)
    } else if has("dense5.weight"), has("dense6_1.weight") {
      self = .mtcnnPart(.onet)
    } else {
      return nil
    }
  }
}

extension MTCNN {
  /// The weights at a place: a folder with `pnet.pt`, `rnet.pt` and `onet.pt` as facenet-pytorch publishes them
  /// (also `mtcnn-pnet.pt` and so on; `.pth` and `.safetensors` do as well), or one file with all tensors under
  /// `pnet.`, `rnet.` and `onet.`.
  ///
  /// Throws `WeightsError` where a file is missing, cannot be read or is not of its network.
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
          "it is a folder and has no \(missing.joined(separator: ", no ")). Name a file, or for MTCNN a"
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
