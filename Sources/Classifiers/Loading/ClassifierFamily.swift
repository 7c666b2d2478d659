import DeepfakeCore
import Synchronization

/// A kind of network that classifies faces, with all that is particular to it: which networks there
/// are, how their checkpoints are recognised and read, and how they are built.
///
/// A family is registered once, before anything asks for its networks; commands, recipes, training
/// and prediction then know them by name. `Examples/CustomNetwork` brings one of its own.
///
/// ```swift
/// ClassifierFamilies.register(MesoNet())
/// let recipe = try Recipe(contentsOf: file)  // may say "architecture: meso4"
/// ```
public protocol ClassifierFamily: Sendable {
  /// The networks, the smallest first. No other family has their names.
  var architectures: [Architecture] { get }
  /// Whose checkpoints can be read. The first is what training takes and writes where nobody says
  /// another, and has all of the family's networks.
  var schemes: [Scheme] { get }
  /// Of each scheme, keys of the file that are in every checkpoint of it and in none of another.
  /// Where several fit a file, the first counts. A scheme without marks must be named.
  var marks: [(scheme: Scheme, keys: [String])] { get }
  /// How many stages of a network may be there, from the first; nil where networks are whole.
  var stages: ClosedRange<Int>? { get }
  /// The norms that the networks can have; the first is the usual one.
  var norms: [Norm.Kind] { get }

  /// Whether a scheme has checkpoints of a network.
  func covers(_ architecture: Architecture, _ scheme: Scheme) -> Bool
  /// How faces were shown to a scheme's network in training.
  func input(_ architecture: Architecture, _ scheme: Scheme) -> InputSpec
  /// What the batch norms of a scheme's network add to the variance.
  func batchNormEpsilon(_ architecture: Architecture, _ scheme: Scheme) -> Float
  /// What a scheme calls the network's parameters. `hasKey` tells which keys the checkpoint has,
  /// where a scheme has had several names for a layer.
  func keys(
    _ architecture: Architecture, _ scheme: Scheme, hasKey: (String) -> Bool
  ) -> KeyMapping

  /// The scheme that a file is of whose keys are `scheme`'s, where others have the same keys.
  /// `doubt` is a sentence for people on what had to be guessed; nil where nothing had.
  func told(_ scheme: Scheme, by state: StateDict) -> (scheme: Scheme, doubt: String?)
  /// Whether a checkpoint is of that network and not of another of the family.
  func recognises(_ architecture: Architecture, in checkpoint: PublishedKeys) -> Bool
  /// The stages that a checkpoint has, from the first, for families with `stages`.
  func stageCount(in checkpoint: PublishedKeys) -> Int?
  /// The network, without weights; `architecture`, `scheme`, norm and stages fit each other.
  ///
  /// - Parameters:
  ///   - dropout: The rate before the last layer in training; nil for the network's own.
  ///   - stochasticDepth: The probability that the last block is skipped in training; nil for the
  ///     network's own. Families without such blocks pass it over.
  func makeNetwork(
    _ settings: ClassifierSettings, dropout: Float?, stochasticDepth: Float?
  ) -> ClassifierNetwork
}

extension ClassifierFamily {
  /// nil: networks are whole.
  public var stages: ClosedRange<Int>? { nil }
  /// Both, batch norm first.
  public var norms: [Norm.Kind] { Norm.Kind.allCases }

  /// Every one of the family's networks in every one of its schemes.
  public func covers(_ architecture: Architecture, _ scheme: Scheme) -> Bool {
    architectures.contains(architecture) && schemes.contains(scheme)
  }

  /// PyTorch's 1e-5.
  public func batchNormEpsilon(_ architecture: Architecture, _ scheme: Scheme) -> Float { 1e-5 }

  /// The network's own keys.
  public func keys(
    _ architecture: Architecture, _ scheme: Scheme, hasKey: (String) -> Bool
  ) -> KeyMapping { KeyMapping() }

  /// The scheme itself, without doubt.
  public func told(_ scheme: Scheme, by state: StateDict) -> (scheme: Scheme, doubt: String?) {
    (scheme, nil)
  }

  /// nil: all are there.
  public func stageCount(in checkpoint: PublishedKeys) -> Int? { nil }
}

/// The families whose networks can be built: dfkit's own, and those that a program registers.
///
/// ```swift
/// ClassifierFamilies.register(MesoNet())
/// for family in ClassifierFamilies.all {
///   print(family.architectures.map(\.rawValue), family.schemes.map(\.rawValue))
/// }
/// ```
public enum ClassifierFamilies {
  private static let registered = Mutex<[any ClassifierFamily]>([
    EfficientNetFamily(), XceptionFamily(),
  ])

  /// All families, dfkit's own first.
  public static var all: [any ClassifierFamily] { registered.withLock { $0 } }

  /// Makes a family's networks known to everything that names networks. Does nothing for a family
  /// of a type that is registered already; no two families may have networks of one name.
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
