import DeepfakeCore
import Foundation
import Synchronization

/// A family of face detectors: recognises its weights and makes a detector from them.
///
/// ```swift
/// DetectorFamilies.register(MyDetectorFamily())
/// let weights = try StateDict.read(file)
/// let detector = try DetectorFamilies.detector(of: weights)
/// ```
public protocol DetectorFamily: Sendable {
  /// The name in recipes and commands, unique among all families.
  var name: String { get }
  /// The name given by its authors, for messages.
  var title: String { get }
  /// Entries of the weights catalogue that hold its weights, in the order in which they are tried.
  var storeEntries: [String] { get }

  /// The detector that the weights are for; nil if they are not this family's.
  func recognised(_ weights: StateDict) -> DetectorWeights?
  /// The weights with the keys of dfkit's own files.
  ///
  /// - Throws: `WeightsError` if some are missing.
  func converted(_ weights: StateDict) throws(WeightsError) -> StateDict
  /// Reads weights that are split into several files of a folder; nil if the family's weights never
  /// are.
  ///
  /// - Throws: `WeightsError` if files are missing or cannot be read.
  func readFolder(_ folder: URL) throws(WeightsError) -> StateDict?
  /// The part of the network that a layer belongs to, such as `backbone`, under which `dfkit bench
  /// --layers` sums up times; nil if the family does not name it.
  ///
  /// - Parameter key: The key of the layer's weight without the name `weight`.
  func part(ofLayer key: String) -> String?
  /// The detector's networks as ONNX models, each with the name of its part; empty for a detector
  /// of a single network.
  ///
  /// - Parameters:
  ///   - weights: The weights, which must be this family's.
  ///   - size: The size of the frames; nil: any.
  /// - Throws: `WeightsError` if the weights do not fit; `ONNXExportError` if ONNX cannot say what
  ///   a network computes.
  func onnxModels(
    _ weights: StateDict, size: Size2d?
  ) throws -> [(part: String, model: ONNXModel)]

  /// Makes a detector. Settings that do not apply to it are ignored.
  ///
  /// - Throws: `WeightsError` with the keys that are missing, unused or of the wrong shape, or with
  ///   the detector that the weights are for.
  func makeDetector(
    _ weights: StateDict, _ settings: DetectorSettings
  ) throws(WeightsError) -> any FaceDetector
}

extension DetectorFamily {
  /// nil: weights are in one file.
  public func readFolder(_ folder: URL) throws(WeightsError) -> StateDict? { nil }

  /// nil: layers are summed up by the kind of their work.
  public func part(ofLayer key: String) -> String? { nil }

  /// Throws: by default a detector has no ONNX form.
  public func onnxModels(
    _ weights: StateDict, size: Size2d?
  ) throws -> [(part: String, model: ONNXModel)] {
    throw ONNXExportError("\(title) has no ONNX form")
  }
}

/// Settings of a face detector; nil means the detector's default.
public struct DetectorSettings: Sendable, Equatable {
  /// The factor by which a frame is scaled before it is searched.
  public var frameScale: FrameScale = 1
  /// The lowest score of a face, for a detector with one network.
  public var threshold: Float?
  /// IoU above which the box with the lower score is dropped.
  public var overlapThreshold: Float?
  /// The minimum scores of a cascade's networks, one per network.
  public var thresholds: [Float]?
  /// The size of each level of an image pyramid, relative to the previous one.
  public var factor: Float?
  /// The minimum side of a face, in pixels of the original frame.
  public var minimumFaceSize: Float?

  /// Creates settings with the detector's defaults and unscaled frames.
  public init() {}
}

/// The face detector that a set of weights is for.
public struct DetectorWeights: Sendable, Equatable {
  /// The name of the detector's family.
  public var detector: String
  /// The network's name in commands.
  public var architecture: String
  /// The checkpoint format that the keys follow.
  public var scheme: String
  /// The kind of norm; nil if the network has none.
  public var norm: Norm.Kind?

  /// The detector, for messages: `RetinaFace (retinaface-resnet50)`.
  var text: String {
    "\(DetectorFamilies.named(detector)?.title ?? detector) (\(architecture))"
  }

  /// Creates a description of weights.
  public init(detector: String, architecture: String, scheme: String, norm: Norm.Kind?) {
    self.detector = detector
    self.architecture = architecture
    self.scheme = scheme
    self.norm = norm
  }

  /// Recognises the weights of any registered family; nil if no family does.
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

/// The registry of detector families: dfkit's own, and those that a program registers.
public enum DetectorFamilies {
  private static let registered = Mutex<[any DetectorFamily]>([RetinaFaceFamily(), MTCNNFamily()])

  /// All registered families, dfkit's own first.
  public static var all: [any DetectorFamily] { registered.withLock { $0 } }

  /// The family of that name; nil if there is none.
  public static func named(_ name: String) -> (any DetectorFamily)? {
    all.first { $0.name == name }
  }

  /// Registers a family. It has no effect if a family of that name is registered already.
  public static func register(_ family: any DetectorFamily) {
    registered.withLock { all in
      if !all.contains(where: { $0.name == family.name }) { all.append(family) }
    }
  }

  /// Reads a weights file, or a folder of files as some family has them. The weights need not be a
  /// detector's.
  ///
  /// - Throws: `WeightsError`.
  public static func readWeights(_ url: URL) throws(WeightsError) -> StateDict {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder),
      isFolder.boolValue
    else { return try StateDict.read(url) }
    for family in all {
      if let weights = try family.readFolder(url) { return weights }
    }
    throw .unreadable(file: url.relativePath, reason: "it is a folder; name a file")
  }

  /// Makes the detector that the weights are for.
  ///
  /// - Throws: `WeightsError` if no family recognises the weights, or if some are missing.
  public static func detector(
    of weights: StateDict, _ settings: DetectorSettings = DetectorSettings()
  ) throws(WeightsError) -> any FaceDetector {
    for family in all where family.recognised(weights) != nil {
      return try family.makeDetector(weights, settings)
    }
    let names = all.map(\.name).joined(separator: ", ")
    throw .unreadable(
      file: weights.file, reason: "its tensors match no face detector (\(names))")
  }
}

extension DetectorFamilies {
  /// The description of a detector's network for its ONNX file.
  static func description(
    _ architecture: String, scheme: String, norm: Norm.Kind?, _ input: PixelNormalization
  ) -> ModelMetadata {
    var description = ModelMetadata()
    description.architecture = architecture
    description.scheme = scheme
    description.norm = norm
    description.mean = input.mean
    description.std = input.std
    description.channelOrder = input.channelOrder
    return description
  }
}
