import DeepfakeCore
import Synchronization

/// A family of networks that classify faces. It lists its networks, recognises and reads their
/// checkpoints, and builds them.
///
/// Register a family once, before any of its networks is used. Commands, recipes, training and
/// prediction then find its networks by name. `Examples/CustomNetwork` shows a complete family.
///
/// ```swift
/// ClassifierFamilies.register(MesoNet())
/// let recipe = try Recipe(contentsOf: file)  // may say "architecture: meso4"
/// ```
public protocol ClassifierFamily: Sendable {
  /// The family's networks, the smallest first. Their names are unique among all families.
  var architectures: [Architecture] { get }
  /// The checkpoint formats that can be read. The first is the default for training and for files
  /// that dfkit writes, and covers all of the family's networks.
  var schemes: [Scheme] { get }
  /// For each scheme, keys that all of its checkpoints have and no other scheme's. The first entry
  /// whose keys are all in a file decides. A scheme without marks must be named by the user.
  var identifyingKeys: [(scheme: Scheme, keys: [String])] { get }
  /// The allowed numbers of stages, counted from the first; nil if networks always have all stages.
  var stages: ClosedRange<Int>? { get }
  /// The norms that the networks support; the first is the default.
  var norms: [Norm.Kind] { get }

  /// Whether the scheme has checkpoints of the architecture.
  func covers(_ architecture: Architecture, _ scheme: Scheme) -> Bool
  /// The size and normalisation of the input with which the scheme's network was trained.
  func input(_ architecture: Architecture, _ scheme: Scheme) -> InputSpec
  /// The epsilon that the batch norms of the scheme's network add to the variance.
  func batchNormEpsilon(_ architecture: Architecture, _ scheme: Scheme) -> Float
  /// The scheme's names of the network's parameters. `hasKey` tells which keys the checkpoint has,
  /// for schemes that have used several names for a layer.
  func keys(
    _ architecture: Architecture, _ scheme: Scheme, hasKey: (String) -> Bool
  ) -> KeyMapping

  /// Decides which scheme a file follows if several schemes have the same keys as `scheme`.
  /// `warning` is a sentence for users about what was guessed; nil if nothing was.
  func resolvedScheme(_ scheme: Scheme, in state: StateDict) -> (scheme: Scheme, warning: String?)
  /// Whether the checkpoint is of this architecture, and of no other in the family.
  func recognises(_ architecture: Architecture, in checkpoint: PublishedKeys) -> Bool
  /// The network's own key of the weight that reads the input, such as `conv1.weight`. A family
  /// that states it builds this convolution with `settings.input.channelCount` inputs, and its
  /// networks can then read the difference to a later frame. Nil: the networks read three channels.
  func stemKey(_ architecture: Architecture) -> String?
  /// The number of stages in a checkpoint, counted from the first, for families that have `stages`.
  func stageCount(in checkpoint: PublishedKeys) -> Int?
  /// The role of a layer, such as `depthwise`, by which `dfkit bench --layers` sums up times. Nil
  /// if the family does not name it.
  ///
  /// - Parameters:
  ///   - key: The key of the layer's weight without the name `weight`.
  ///   - isFused: Whether the time is that of a block whose layers run as one.
  ///   - keys: The keys of all layers of the network.
  func layerRole(of key: String, isFused: Bool, among keys: Set<String>) -> String?
  /// Builds the network, without weights. The architecture, scheme, norm and stages of `settings`
  /// are compatible.
  ///
  /// - Parameters:
  ///   - dropout: The dropout rate before the last layer in training; nil: the network's default.
  ///   - stochasticDepth: The rate of stochastic depth in training; nil: the network's default.
  ///     Families without stochastic depth ignore it.
  func makeNetwork(
    _ settings: ClassifierSettings, dropout: Float?, stochasticDepth: Float?
  ) -> ClassifierNetwork
}

extension ClassifierFamily {
  /// nil: networks always have all stages.
  public var stages: ClosedRange<Int>? { nil }
  /// Batch norm and group norm; batch norm is the default.
  public var norms: [Norm.Kind] { Norm.Kind.allCases }

  /// True for all of the family's architectures and schemes.
  public func covers(_ architecture: Architecture, _ scheme: Scheme) -> Bool {
    architectures.contains(architecture) && schemes.contains(scheme)
  }

  /// 1e-5, PyTorch's default.
  public func batchNormEpsilon(_ architecture: Architecture, _ scheme: Scheme) -> Float { 1e-5 }

  /// The network's own keys, unchanged.
  public func keys(
    _ architecture: Architecture, _ scheme: Scheme, hasKey: (String) -> Bool
  ) -> KeyMapping { KeyMapping() }

  /// `scheme` itself, without a warning.
  public func resolvedScheme(_ scheme: Scheme, in state: StateDict) -> (
    scheme: Scheme, warning: String?
  ) {
    (scheme, nil)
  }

  /// nil: the networks read three channels.
  public func stemKey(_ architecture: Architecture) -> String? { nil }

  /// nil: checkpoints always have all stages.
  public func stageCount(in checkpoint: PublishedKeys) -> Int? { nil }

  /// nil: layers are summed up by the kind of their work.
  public func layerRole(of key: String, isFused: Bool, among keys: Set<String>) -> String? { nil }
}

/// The registry of families: dfkit's own, and those that a program registers.
///
/// ```swift
/// ClassifierFamilies.register(MesoNet())
/// for family in ClassifierFamilies.all {
///   print(family.architectures.map(\.rawValue), family.schemes.map(\.rawValue))
/// }
/// ```
public enum ClassifierFamilies {
  private static let registered = Mutex<[any ClassifierFamily]>([
    EfficientNetFamily(), XceptionFamily(), ResNetFamily(),
  ])

  /// All registered families, dfkit's own first.
  public static var all: [any ClassifierFamily] { registered.withLock { $0 } }

  /// Makes a family's networks available by name. Registering a type of family again has no effect.
  /// Two families must not have an architecture of the same name.
  public static func register(_ family: any ClassifierFamily) {
    registered.withLock { all in
      guard !all.contains(where: { type(of: $0) == type(of: family) }) else { return }
      for other in all {
        for taken in family.architectures where other.architectures.contains(taken) {
          preconditionFailure(
            "ClassifierFamilies: \(taken.rawValue) is a network of \(type(of: other)) already")
        }
      }
      all.append(family)
    }
  }
}
