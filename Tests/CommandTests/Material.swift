import DFKit
import Foundation

/// Weights and pictures that command tests make for themselves.
enum Material {
  /// Writes a B0 of random weights at 64 pixels, with metadata that says so.
  static func classifier(_ url: URL, seed: UInt64 = 1, metadata: Bool = true) throws {
    var settings = ClassifierSettings(.efficientNetB0)
    settings.input.size = 64
    let network = settings.makeNetwork()
    network.store.initialize(seed: seed)
    var entries: [String: String] = [:]
    if metadata {
      var description = ModelMetadata()
      description.architecture = settings.architecture.rawValue
      description.scheme = settings.scheme.rawValue
      description.norm = .batch
      description.size = 64
      description.classCount = 1
      entries = description.entries
    }
    try network.store.stateDict().write(safetensors: url, metadata: entries)
  }

  /// Writes a RetinaFace of random weights, which finds nothing or noise.
  static func detector(_ url: URL) throws {
    let store = ParameterStore()
    _ = PlainRetinaFace(.mobileNet, store.root)
    store.initialize(seed: 1)
    try store.stateDict().write(safetensors: url)
  }

  /// Writes the three files of an MTCNN of random weights into a folder.
  static func mtcnn(_ folder: URL) throws {
    let store = ParameterStore()
    _ = MTCNNLayers(store.root)
    store.initialize(seed: 1)
    let all = store.stateDict()
    for part in MTCNNPart.allCases {
      let prefix = "\(part.rawValue)."
      try all.renamingKeys { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : nil }
        .write(safetensors: folder.appendingPathComponent("\(prefix)safetensors"))
    }
  }

  /// Writes a picture of seeded noise.
  static func picture(_ url: URL, width: Int = 64, height: Int = 64, seed: UInt64 = 1) throws {
    var generator = SeededGenerator(seed: seed)
    let image = Image(width: width, height: height) { pixels in
      for i in pixels.indices { pixels[i] = UInt8(truncatingIfNeeded: generator.next()) }
    }
    try ImageFile.write(image, to: url)
  }

  /// A recipe with one member called `only`.
  static let recipe = """
    name: tiny
    description: one small network
    frames: 3
    members:
      - name: only
        architecture: efficientnet-b0
        size: 64
    """
}
