import DeepfakeCore

/// A type that judges face crops: a network over frames, a network over clips, or a custom rule.
///
/// Scorers are the members of an `Ensemble`.
///
/// ```swift
/// struct Darkness: FaceScorer {
///   func scores(_ crops: [Image]) throws -> [Float] {
///     crops.map { crop in
///       let mean = crop.resized(width: 1, height: 1, method: .area)[0, 0]
///       return 1 - Float(mean.green) / 255
///     }
///   }
/// }
/// ```
public protocol FaceScorer: Sendable {
  /// The probability that the crops show a manipulated face.
  ///
  /// - Parameter crops: One person's face, in the order of the frames; crops may differ in size.
  /// - Returns: Probabilities of "fake" in 0...1, one per crop, or a single one if the crops were
  ///   judged together. Empty for no crops.
  func scores(_ crops: [Image]) throws -> [Float]
}

/// A scorer that judges each crop separately with one network.
///
/// ```swift
/// struct MyClassifier: FrameClassifier {
///   let network: any Module
///   let input = InputSpec(size: 224)
///   let classCount = 1
///   let batchSize = 16
///
///   func logits(_ batch: Tensor) -> Tensor { network(batch) }
/// }
/// ```
public protocol FrameClassifier: FaceScorer {
  /// The size and normalisation of the network's input.
  var input: InputSpec { get }
  /// The number of outputs per image. Deepfake detectors have 1 (the logit of "fake") or 2 (real,
  /// fake).
  var classCount: Int { get }
  /// The largest number of crops in a batch, which limits the memory used.
  var batchSize: Int { get }
  /// The calibration of the logit. nil, the default: sigmoid or softmax alone.
  var calibration: LogitCalibration? { get }

  /// The network's logits, [batch, classCount], for prepared images, [batch, size, size, channels]:
  /// three channels, or `input.channelCount` if the input has a difference.
  func logits(_ batch: Tensor) -> Tensor
}
