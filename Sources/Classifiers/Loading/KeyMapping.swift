import DeepfakeCore

/// How the keys of one checkpoint correspond to those of the network.
///
/// A key is written as the checkpoint has it; the inverse is a table over the network's keys, so
/// that nothing is taken for a parameter because it looks like one.
public struct KeyMapping: Sendable {
  /// Before every key (`model.`), where something wraps the network as the scheme has it.
  private var wrapper = ""
  private let extras: [String]
  private let mayHoldMatrices: Bool
  private let rename: @Sendable (String) -> String

  /// A mapping of keys; that of keys to themselves if nothing is given.
  ///
  /// - Parameters:
  ///   - extras: Beginnings of keys that checkpoints are known to have beside the network's.
  ///   - mayHoldMatrices: Whether a checkpoint may hold 1x1 convolutions as matrices.
  ///   - rename: The checkpoint's name for a parameter of the network.
  public init(
    extras: [String] = [], mayHoldMatrices: Bool = false,
    _ rename: @escaping @Sendable (String) -> String = { $0 }
  ) {
    self.extras = extras
    self.mayHoldMatrices = mayHoldMatrices
    self.rename = rename
  }

  /// The mapping to a checkpoint's keys.
  init(_ scheme: Scheme, _ architecture: Architecture, for state: StateDict) {
    self.init(scheme, architecture, wrapper: scheme.wrapper(in: state)) { state[$0] != nil }
  }

  /// The mapping of `scheme`, which covers `architecture`; `hasKey` tells what the checkpoint
  /// holds.
  package init(
    _ scheme: Scheme, _ architecture: Architecture, wrapper: String = "",
    hasKey: (String) -> Bool
  ) {
    precondition(
      scheme.covers(architecture),
      "KeyMapping: \(scheme.rawValue) has no \(architecture.rawValue)")
    self = architecture.family.keys(architecture, scheme) { hasKey(wrapper + $0) }
    self.wrapper = wrapper
  }

  /// The checkpoint's name for the network's parameter `key`.
  package func published(_ key: String) -> String { wrapper + rename(key) }

  /// Whether the checkpoint's `key` is one of those that its kind has and the network has no place
  /// for.
  private func isKnownExtra(_ key: String) -> Bool {
    key.hasSuffix(".num_batches_tracked") || Familiarity.tensorKeys.contains(key)
      || extras.contains { key.hasPrefix(wrapper + $0) }
  }

  /// The checkpoint's tensors under the network's keys, known extras left out; others keep theirs.
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

/// A checkpoint seen by the network's keys.
public struct PublishedKeys: Sendable {
  /// The checkpoint, under its own keys.
  public let state: StateDict
  private let mapping: KeyMapping

  init(_ state: StateDict, _ mapping: KeyMapping) {
    self.state = state
    self.mapping = mapping
  }

  /// The checkpoint's name for the network's parameter `key`.
  public func published(_ key: String) -> String { mapping.published(key) }

  /// The shape in the file of what the network calls `key`; nil where the checkpoint has no such
  /// tensor.
  public func shape(_ key: String) -> [Int]? { state[published(key)]?.shape }
}
