import Classifiers
import DeepfakeCore

/// A network to train: its parameters, its input, and how it is saved.
public struct TrainableNetwork: Sendable {
  /// The network that is trained, or whose features the trained LSTM reads.
  public let network: ClassifierNetwork
  /// The LSTM of a sequence network and its last layer; nil: the network judges each crop alone.
  package let head: SequenceHead?
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
  ///   - sequence: The LSTM that judges a person's frames together by the network's features; nil:
  ///     the network judges each crop alone. `dropout` is then that of the LSTM.
  public init(
    _ settings: ClassifierSettings, dropout: Float? = nil, stochasticDepth: Float? = nil,
    sequence: NetworkSettings.FrameSequence? = nil
  ) {
    var settings = settings
    settings.classCount = 1
    let fixed = settings
    let ownDropout = sequence == nil ? dropout : 0
    makeNetwork = { fixed.makeNetwork(dropout: ownDropout, stochasticDepth: stochasticDepth) }
    makeState = { $0.stateDict(fixed.scheme, fixed.architecture) }
    loadState = {
      try $0.loadWeights($1, scheme: fixed.scheme, architecture: fixed.architecture)
    }
    let network = makeNetwork()
    self.network = network
    head = sequence.map { SequenceHead($0, features: network.featureCount, dropout: dropout) }
    input = settings.input
    metadata = settings.metadata
    metadata.sequence = sequence
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
    head = nil
    self.input = input
    self.metadata = metadata
    precondition(
      network.classCount == 1, "TrainableNetwork: \(network.classCount) outputs, not one logit")
  }

  /// The network's parameters, in order, then those of the LSTM.
  public var parameters: [Parameter] { store.parameters }

  /// The store of all parameters.
  private var store: ParameterStore {
    head.map { ParameterStore(sharing: [network.store, $0.store]) } ?? network.store
  }

  /// The store of the parameters that are learned: of a sequence, those of the LSTM alone, unless
  /// the network learns with it.
  package func learnedStore(endToEnd: Bool) -> ParameterStore {
    head.map { endToEnd ? store : $0.store } ?? network.store
  }

  /// A second network that shares these weights, packed for inference.
  func packedCopy() -> ClassifierNetwork {
    let copy = makeNetwork()
    for (own, other) in zip(network.store.parameters, copy.store.parameters) {
      other.value = own.value
    }
    let packed = copy.packed()
    TensorMemory.releaseUnused()
    return packed
  }

  /// The weights in their file format, with the metadata and `entries`.
  func state(_ entries: [String: String]) -> StateDict {
    var state = makeState(network)
    for entry in head?.store.parameters ?? [] {
      let part = StateDict(tensors: [.init(entry.key, entry.value, layout: entry.layout)])
      state[entry.key] = part[entry.key]
    }
    state.metadata = metadata.entries.merging(entries) { $1 }
    return state
  }

  /// Loads weights from a file that `state` made.
  func load(_ state: StateDict) throws {
    try loadFrameNetwork(state)
    try head?.store.load(state.ofSequenceHead)
  }

  /// The weights of the network without those of an LSTM.
  var frameState: StateDict {
    var state = makeState(network)
    state.metadata = metadata.entries
    return state.ofFrameNetwork
  }

  /// Loads the weights of the network, not those of an LSTM.
  func loadFrameNetwork(_ state: StateDict) throws {
    try loadState(network, head == nil ? state : state.ofFrameNetwork)
  }
}

extension ClassifierNetwork {
  /// Measures the statistics of batch norm on batches of images; `next` returns nil after the last.
  ///
  /// - Throws: `ValidationCancelled` in a cancelled task, and errors of `next`.
  func measureStatistics(seed: UInt64, _ next: @escaping () throws -> Tensor?) throws {
    var failure: (any Error)?
    let batches = AnyIterator<Tensor> {
      do {
        if Task.isCancelled { throw ValidationCancelled() }
        return try next()
      } catch {
        failure = error
        return nil
      }
    }
    recomputeStatistics(of: self, store.parameters, over: batches, seed: seed)
    if let failure { throw failure }
  }
}
