import DeepfakeCore

/// Anything that judges faces: a network over frames, a network over clips, a rule of one's own.
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
  /// How likely it is that each crop shows a manipulated face.
  ///
  /// - Parameter crops: one person's face, in the order of the frames; they may differ in size.
  /// - Returns: probabilities of "fake" in 0...1, one a crop; or a single one where the crops were
  ///   judged together. Nothing for no crops.
  func scores(_ crops: [Image]) throws -> [Float]
}

/// A scorer that judges every crop by itself with one network.
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
  /// What the network expects of its input.
  var input: InputSpec { get }
  /// Numbers that the network gives an image: 1 (the logit of "fake") or 2 (real, fake) where it
  /// detects deepfakes.
  var classCount: Int { get }
  /// Crops that pass through the network at once at most, so that memory stays bounded.
  var batchSize: Int { get }
  /// What makes the logit a probability; nil, which is what a classifier has that says nothing,
  /// where the sigmoid or softmax does.
  var calibration: LogitCalibration? { get }

  /// The network's raw outputs, [batch, classCount], for prepared images, [batch, size, size, 3].
  func logits(_ batch: Tensor) -> Tensor
}
