import DeepfakeCore
import Synchronization

/// A network that is packed on first use. If its weights are in a file, it can be unloaded and is
/// loaded and packed again on the next use.
final class PackedSource<Network: Sendable>: Sendable {
  private enum State {
    /// Loaded and checked, but not packed.
    case loaded(Network)
    case packed(Network)
    case unloaded
  }

  private let state: Mutex<State>
  private let reload: (@Sendable () throws -> Network)?
  private let pack: @Sendable (Network) -> Network

  /// Creates a source from a network with all its weights. `reload` loads the same network again,
  /// which must not fail; `pack` packs a network for inference.
  init(
    _ network: Network, reload: (@Sendable () throws -> Network)? = nil,
    pack: @escaping @Sendable (Network) -> Network
  ) {
    state = Mutex(.loaded(network))
    self.reload = reload
    self.pack = pack
  }

  /// The network, packed by the first call and kept until `unload`.
  var packed: Network {
    state.withLock { state in
      let network: Network
      switch state {
      case .packed(let packed): return packed
      case .loaded(let loaded): network = loaded
      case .unloaded: network = loadedAgain()
      }
      let packed = pack(network)
      state = .packed(packed)
      return packed
    }
  }

  private func loadedAgain() -> Network {
    guard let reload else {
      preconditionFailure("PackedSource: unloaded, but there is no file to reload it from")
    }
    do {
      return try reload()
    } catch {
      preconditionFailure("PackedSource: weights that loaded before do not load: \(error)")
    }
  }

  /// Frees the packed network if it can be reloaded.
  func unload() {
    guard reload != nil else { return }
    state.withLock { state in
      if case .packed = state { state = .unloaded }
    }
  }
}

/// A scorer whose networks take memory while they are in use.
package protocol PackedScorer: FaceScorer {
  /// Packs the networks now if they are not packed yet.
  func prepare()
  /// Frees the memory of the networks. The next use packs them again.
  func unload()
}
