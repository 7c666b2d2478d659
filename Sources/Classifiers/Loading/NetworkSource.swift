import DeepfakeCore
import Synchronization

/// A network that is packed on first use. If its weights are in a file, it can be unloaded and is
/// loaded and packed again on the next use.
final class NetworkSource: Sendable {
  private enum State {
    /// Loaded and checked, but not packed.
    case loaded(ClassifierNetwork)
    case packed(ClassifierNetwork)
    case unloaded
  }

  private let state: Mutex<State>
  private let reload: (@Sendable () -> ClassifierNetwork)?

  /// Creates a source from a network with all its weights; `reload` creates the same network again.
  init(
    _ network: ClassifierNetwork, reload: (@Sendable () -> ClassifierNetwork)? = nil
  ) {
    state = Mutex(.loaded(network))
    self.reload = reload
  }

  /// The network, packed by the first call and kept until `unload`.
  var network: ClassifierNetwork {
    state.withLock { state in
      let network: ClassifierNetwork
      switch (state, reload) {
      case (.packed(let packed), _): return packed
      case (.loaded(let loaded), _): network = loaded
      case (.unloaded, let reload?): network = reload()
      case (.unloaded, nil):
        preconditionFailure("NetworkSource: unloaded, but there is no file to reload it from")
      }
      let packed = network.packed()
      state = .packed(packed)
      return packed
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
