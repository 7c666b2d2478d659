import DeepfakeCore
import Synchronization

/// A kind of face detector: how its weights are recognised, and how a detector is made of them.
///
/// ```swift
/// DetectorFamilies.register(MyDetectorFamily())
/// let weights = try StateDict.read(file)
/// let detector = try DetectorFamilies.detector(of: weights)
/// ```
public protocol DetectorFamily: Sendable {
  /// The name that recipes and commands give it; no other family has it.
  var name: String { get }
  /// The name that its authors gave it, for messages.
  var title: String { get }
  /// Entries of the catalogue of weights that serve it, in the order in which they are looked for.
  var storeEntries: [String] { get }

  /// What weights are for; nil where they are not this family's.
  func recognised(_ weights: StateDict) -> DetectorWeights?
  /// The weights under the keys that a file of dfkit's own has.
  ///
  /// - Throws: `WeightsError` where they are not all there.
  func converted(_ weights: StateDict) throws(WeightsError) -> StateDict
  /// A detector. Settings that do not apply to it are passed over.
  ///
  /// - Throws: `WeightsError`: what is missing, unused or misshapen, or what else the weights are
  ///   for.
  func makeDetector(
    _ weights: StateDict, _ settings: DetectorSettings
  ) throws(WeightsError) -> any FaceDetector
}

/// What a caller may say of a detector; what is nil is the detector's own.
public struct DetectorSettings: Sendable, Equatable {
  /// The factor by which a frame is scaled before it is searched.
  public var frameScale: FrameScale = 1
  /// The lowest score of a face, for a detector with one network.
  public var threshold: Float?
  /// The overlap (IoU) from which the lesser of two boxes is dropped.
  public var overlapThreshold: Float?
  /// The lowest scores in a cascade's networks.
  public var thresholds: [Float]?
  /// The size of each level of an image pyramid, as a part of the one before.
  public var factor: Float?
  /// The smallest side of a face, in pixels of the frame as given.
  public var minimumFaceSize: Float?

  /// The detector's own settings, on frames as they are.
  public init() {}
}

/// Which face detector weights are for.
public struct DetectorWeights: Sendable, Equatable {
  /// The name of the detector's family.
  public var detector: String
  /// The network, by the name that commands use.
  public var architecture: String
  /// Whose keys the weights have.
  public var scheme: String
  /// The network's norm; nil where it has none.
  public var norm: Norm.Kind?

  /// What the weights are for, for messages: `RetinaFace (retinaface-resnet50)`.
  var text: String {
    "\(DetectorFamilies.named(detector)?.title ?? detector) (\(architecture))"
  }

  /// Weights of a network.
  public init(detector: String, architecture: String, scheme: String, norm: Norm.Kind?) {
    self.detector = detector
    self.architecture = architecture
    self.scheme = scheme
    self.norm = norm
  }

  /// The detector whose weights these are, of all registered families; nil where they are none's.
  public init?(recognizing weights: StateDict) {
    for family in DetectorFamilies.all {
      if let found = family.recognised(weights) {
        self = found
        return
      }
    }
    return nil
  }
}

/// The detectors that can be made: dfkit's own, and those that a program registers.
public enum DetectorFamilies {
  private static let registered = Mutex<[any DetectorFamily]>([RetinaFaceFamily(), MTCNNFamily()])

  /// All families, dfkit's own first.
  public static var all: [any DetectorFamily] { registered.withLock { $0 } }

  /// The family of that name.
  public static func named(_ name: String) -> (any DetectorFamily)? {
    all.first { $0.name == name }
  }

  /// Makes a family known. Does nothing where one of its name is registered already.
  public static func register(_ family: any DetectorFamily) {
    registered.withLock { all in
      if !all.contains(where: { $0.name == family.name }) { all.append(family) }
    }
  }

  /// The detector that weights are for.
  ///
  /// - Throws: `WeightsError` where they are no detector's, or not all of it.
  public static func detector(
    of weights: StateDict, _ settings: DetectorSettings = DetectorSettings()
  ) throws(WeightsError) -> any FaceDetector {
    for family in all where family.recognised(weights) != nil {
      return try family.makeDetector(weights, settings)
    }
    let names = all.map(\.name).joined(separator: ", ")
    throw .unreadable(
      file: weights.file, reason: "its tensors are those of no face detector (\(names))")
  }
}
