import DeepfakeCore

/// A network that classifies images, in the form that is loaded and trained.
public protocol ClassifierNetwork: Module {
  /// The parameters, under the keys of timm's checkpoints.
  var store: ParameterStore { get }
  /// Numbers that the network gives an image.
  var classCount: Int { get }

  /// What the network sees at each depth, NHWC: after the stem, after each stage, and last after the
  /// head, which is what the classifier pools.
  func maps(_ x: Tensor, _ mode: Mode) -> [Tensor]
  /// The maps that the classifier pools, [batch, height, width, channels].
  func features(_ x: Tensor, _ mode: Mode) -> Tensor
  /// The outputs, [batch, classCount], that the maps of a depth lead to: the rest of the network.
  func logits(fromMap map: Tensor, at depth: Int, _ mode: Mode) -> Tensor
  /// The form for inference. This network's parameters are released one by one, so that there is
  /// never a second copy of them all.
  func packed() -> any PackedClassifier
}

/// A network that classifies images, in the form that runs: weights packed, norms folded, nothing
/// recorded.
public protocol PackedClassifier: Sendable {
  /// Numbers that the network gives an image.
  var classCount: Int { get }
  /// What the network sees at each depth (see `ClassifierNetwork.maps`).
  func maps(_ x: Tensor) -> [Tensor]
  /// The maps that the classifier pools, [batch, height, width, channels].
  func features(_ x: Tensor) -> Tensor
  /// The network's outputs, [batch, classCount], for the pooled maps, [batch, channels].
  func logits(pooled: Tensor) -> Tensor
}

extension PackedClassifier {
  /// The mean of each of the maps that the classifier pools, [batch, channels].
  public func pooled(_ x: Tensor) -> Tensor { features(x).globalAveragePool() }

  /// The network's outputs, [batch, classCount], for x of [batch, height, width, 3].
  public func logits(_ x: Tensor) -> Tensor { logits(pooled: pooled(x)) }
}
