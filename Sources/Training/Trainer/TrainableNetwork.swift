import Classifiers
import DeepfakeCore

/// A network to train: its parameters, what it expects of its input, and how it is saved.
public struct TrainableNetwork: Sendable {
  /// The network whose parameters learn.
  public let network: ClassifierNetwork
  /// What it expects of its input.
  public let input: InputSpec
  /// What saved weights say of themselves, so that they load without being told more.
  public var metadata: ModelMetadata
  private let makeNetwork: @Sendable () -> ClassifierNetwork
  private let makeState: @Sendable (ClassifierNetwork) -> StateDict
  private let loadState: @Sendable (ClassifierNetwork, StateDict) throws -> Void

  /// A network that `ClassifierModel` loads: one logit, that of "fake".
  ///
  /// - Parameters:
  ///   - settings: What it is; its number of classes is taken as 1.
  ///   - dropout: The rate before the last layer; the architecture's own if nil.
  ///   - stochasticDepth: The probability that the last block is skipped; the architecture's own if
  ///     nil.
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

  /// A network of one's own with one output; `make` gives a new one at each call, all alike.
  /// Weights are saved under the network's keys.
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

  /// The parameters in order.
  public var parameters: [Parameter] { network.store.parameters }

  /// A second network with the same weights, which it does not copy, packed for inference.
  func packedCopy() -> ClassifierNetwork {
    let copy = makeNetwork()
    for (own, other) in zip(parameters, copy.store.parameters) {
      other.value = own.value
    }
    let packed = copy.packed()
    TensorMemory.releaseUnused()
    return packed
  }

  /// The weights as a file has them, with the metadata and `entries`.
  func state(_ entries: [String: String]) -> StateDict {
    var state = makeState(network)
    state.metadata = metadata.entries.merging(entries) { $1 }
    return state
  }

  /// Fills the network from a file that `state` made.
  func load(_ state: StateDict) throws {
    try loadState(network, state)
  }
}
