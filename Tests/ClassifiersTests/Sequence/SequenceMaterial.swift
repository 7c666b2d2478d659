import Classifiers
import DeepfakeCore

/// A sequence network with random weights, and crops.
enum SequenceMaterial {
  static let size = 32

  static var settings: NetworkSettings.FrameSequence {
    var settings = NetworkSettings.FrameSequence()
    settings.hidden = 6
    settings.frames = 4
    return settings
  }

  /// The weights of Lite0 and of an LSTM over its features, as `dfkit train` writes them.
  static func state(_ sequence: NetworkSettings.FrameSequence = settings, seed: UInt64 = 3)
    -> StateDict
  {
    var frames = ClassifierSettings(.efficientNetLite0)
    frames.input.size = size
    let network = frames.makeNetwork()
    network.store.initialize(seed: seed)
    let head = SequenceHead(sequence, features: network.featureCount)
    head.store.initialize(seed: seed + 1)
    var state = network.stateDict(frames.scheme, frames.architecture)
    let own = head.store.stateDict()
    for key in own.keys { state[key] = own[key] }
    var metadata = frames.metadata
    metadata.sequence = sequence
    state.metadata = metadata.entries
    return state
  }

  /// Crops of noise.
  static func crops(_ count: Int) -> [Image] {
    (0..<count).map { index in
      var generator = SeededGenerator(seed: 5, label: "crop \(index)")
      return Image(width: size, height: size) { pixels in
        for i in pixels.indices { pixels[i] = UInt8(truncatingIfNeeded: generator.next()) }
      }
    }
  }

  static func features(_ shape: [Int], seed: UInt64 = 1) -> Tensor {
    var generator = SeededGenerator(seed: seed, label: "features")
    return .uniform(shape: shape, in: -1..<1, using: &generator)
  }
}
