import DeepfakeCore

/// Maps the network's keys to the keys of one checkpoint.
///
/// The mapping is defined from the network's keys to the checkpoint's. The inverse is a table of
/// the network's keys, so a tensor of the checkpoint is never mistaken for a parameter because of a
/// similar name.
public struct KeyMapping: Sendable {
  /// A prefix of every key (`model.`), if the checkpoint wraps the network in another module.
  private var wrapper = ""
  private let extras: [String]
  private let mayHoldMatrices: Bool
  private let rename: @Sendable (String) -> String

  /// Creates a mapping; by default keys do not change.
  ///
  /// - Parameters:
  ///   - extras: Prefixes of further keys that checkpoints are known to contain.
  ///   - mayHoldMatrices: Whether a checkpoint may store 1x1 convolutions as matrices.
  ///   - rename: Returns the checkpoint's key for a key of the network.
  public init(
    extras: [String] = [], mayHoldMatrices: Bool = false,
    _ rename: @escaping @Sendable (String) -> String = { $0 }
  ) {
    self.extras = extras
    self.mayHoldMatrices = mayHoldMatrices
    self.rename = rename
  }

  /// The mapping for a checkpoint, including any prefix of its keys.
  init(_ scheme: Scheme, _ architecture: Architecture, for state: StateDict) {
    self.init(scheme, architecture, wrapper: scheme.wrapper(in: state)) { state[$0] != nil }
  }

  /// The mapping of `scheme`, which must cover `architecture`; `hasKey` tells which keys the
  /// checkpoint has.
  package init(
    _ scheme: Scheme, _ architecture: Architecture, wrapper: String = "",
    hasKey: (String) -> Bool
  ) {
    precondition(
      scheme.covers(architecture),
      "KeyMapping: there are no \(scheme.rawValue) checkpoints of \(architecture.rawValue)")
    self = architecture.family.keys(architecture, scheme) { hasKey(wrapper + $0) }
    self.wrapper = wrapper
  }

  /// The checkpoint's key for the network's parameter `key`.
  package func published(_ key: String) -> String { wrapper + rename(key) }

  /// Whether `key` is one that such checkpoints are known to contain and the network does not need.
  private func isKnownExtra(_ key: String) -> Bool {
    key.hasSuffix(".num_batches_tracked") || Familiarity.tensorKeys.contains(key)
      || extras.contains { key.hasPrefix(wrapper + $0) }
  }

  /// The checkpoint's tensors with the network's keys. Known extras are left out; unknown tensors
  /// keep their keys.
  func renamed(
    _ state: StateDict, for parameters: [Parameter]
  ) throws(WeightsError) -> StateDict {
    var own: [String: String] = [:]
    for parameter in parameters { own[published(parameter.key)] = parameter.key }
    var renamed = try state.renamingKeys { key in own[key] ?? (isKnownExtra(key) ? nil : key) }
    guard mayHoldMatrices else { return renamed }
    for parameter in parameters where parameter.layout == .convolution {
      if let matrix = renamed[parameter.key], matrix.shape.count == 2 {
        renamed[parameter.key] = matrix.withTrailingAxes(rank: 4)
      }
    }
    return renamed
  }
}

/// A checkpoint whose tensors are looked up by the network's keys.
public struct PublishedKeys: Sendable {
  /// The checkpoint, with its own keys.
  public let state: StateDict
  private let mapping: KeyMapping

  init(_ state: StateDict, _ mapping: KeyMapping) {
    self.state = state
    self.mapping = mapping
  }

  /// The checkpoint's key for the network's parameter `key`.
  public func published(_ key: String) -> String { mapping.published(key) }

  /// The shape, in the file, of the network's parameter `key`; nil if the checkpoint does not have
  /// it.
  public func shape(_ key: String) -> [Int]? { state[published(key)]?.shape }
}
