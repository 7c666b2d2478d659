import DeepfakeCore
import Synchronization

/// A network that is packed when it is first asked for, and, where its weights lie in a file, again
/// after it was given up.
final class NetworkSource: Sendable {
  private enum State {
    /// Checked and not packed.
    case loaded(ClassifierNetwork)
    case packed(ClassifierNetwork)
    case givenUp
  }

  private let state: Mutex<State>
  private let reload: (@Sendable () -> ClassifierNetwork)?

  /// A network with all its weights; `reload` makes another such one.
  init(
    _ network: ClassifierNetwork, reload: (@Sendable () -> ClassifierNetwork)? = nil
  ) {
    state = Mutex(.loaded(network))
    self.reload = reload
  }

  /// The network, packed.
  var network: ClassifierNetwork {
    state.withLock { state in
      let network: ClassifierNetwork
      switch (state, reload) {
      case (.packed(let packed), _): return packed
      case (.loaded(let loaded), _): network = loaded
      case (.givenUp, let reload?): network = reload()
      case (.givenUp, nil): preconditionFailure("NetworkSource: given up with nothing to reload")
      }
      let packed = network.packed()
      state = .packed(packed)
      return packed
    }
  }

  /// Gives up the packed network, where it can be made again.
  func giveUp() {
    guard reload != nil else { return }
    state.withLock { state in
      if case .packed = state { state = .givenUp }
    }
  }
}
