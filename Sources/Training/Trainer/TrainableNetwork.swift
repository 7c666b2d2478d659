import Classifiers
import DeepfakeCore

/// A network to train: its parameters, its input, and how it is saved.
public struct TrainableNetwork: Sendable {
  /// The network that is trained.
  public let network: ClassifierNetwork
  /// The network's input: size, normalisation, and how crops are fitted.
  public let input: InputSpec
  /// Metadata of saved weights, which describe the network so that they load without further
  /// settings.
  public var metadata: ModelMetadata
  private let makeNetwork: @Sendable () -> ClassifierNetwork
  private let makeState: @Sendable (ClassifierNetwork) -> StateDict
  private let loadState: @Sendable (ClassifierNetwork, StateDict) throws -> Void

  /// A network that `ClassifierModel` can load. Its output is one logit, that of "fake".
  ///
  /// - Parameters:
  ///   - settings: The architecture and its settings. The number of classes is set to 1.
  ///   - dropout: The dropout rate before the last layer; nil: that of the architecture.
  ///   - stochasticDepth: The probability that the last block is skipped; nil: that of the
  ///     architecture.
  public init(
    _ settings: ClassifierSettings, dropout: Float? = nil, stochasticDepth: Float? = nil
  ) {
    var settings = settings
    settings.classCount = 1
    let fixed = settings
    makeNetwork = { fixed.makeNetwork(dropout: dropout, stochasticDepth: stochasticDepth) }
    makeState = { $0.stateDict(fixed.scheme, fixed.architecture) }
    loadState = {
      try $0.loadWeights($1, scheme: fixed.scheme, architecture: fixed.architecture)
    }
    network = makeNetwork()
    input = settings.input
    metadata = settings.metadata
    metadata.labels = ["real", "fake"]
  }

  /// A custom network with one output. `make` must return a new, identical network at each call.
  /// Weights are saved under the network's own keys.
  public init(
    input: InputSpec, metadata: ModelMetadata = ModelMetadata(),
    make: @escaping @Sendable () -> ClassifierNetwork
  ) {
    makeNetwork = make
    makeState = { $0.store.stateDict() }
    loadState = { _ = try $0.store.load($1) }
    network = make()
    self.input = input
    self.metadata = metadata
    precondition(
      network.classCount == 1, "TrainableNetwork: \(network.classCount) outputs, not one logit")
  }

  /// The network's parameters, in order.
  public var parameters: [Parameter] { network.store.parameters }

  /// A second network that shares these weights, packed for inference.
  func packedCopy() -> ClassifierNetwork {
    let copy = makeNetwork()
    for (own, other) in zip(parameters, copy.store.parameters) {
      other.value = own.value
    }
    let packed = copy.packed()
    TensorMemory.releaseUnused()
    return packed
  }

  /// The weights in their file format, with the metadata and `entries`.
  func state(_ entries: [String: String]) -> StateDict {
    var state = makeState(network)
    state.metadata = metadata.entries.merging(entries) { $1 }
    return state
  }

  /// Loads weights from a file that `state` made.
  func load(_ state: StateDict) throws {
    try loadState(network, state)
  }
}
