import DeepfakeCore
import Foundation

/// The three 1x1 convolutions over one pyramid level: logits, boxes and landmarks, side by side.
package struct DetectionHead: Module {
  let classes, boxes, landmarks: Conv2d

  init(_ scope: Scope, level: Int, channels: Int) {
    func conv(_ name: String, perAnchor: Int) -> Conv2d {
      Conv2d(
        scope / name / level / "conv1x1", channels, AnchorGrid.anchorsPerCell * perAnchor,
        kernel: 1)
    }
    classes = conv("ClassHead", perAnchor: 2)
    boxes = conv("BboxHead", perAnchor: 4)
    landmarks = conv("LandmarkHead", perAnchor: 10)
  }

  package func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    Tensor.concatenated([classes(x, mode), boxes(x, mode), landmarks(x, mode)], axis: 3)
  }

  /// The head as one convolution of what a `PackedContextModule` gives; the parameters are
  /// released.
  func packed() -> PackedHead {
    let joined = Conv2d(joining: [classes, boxes, landmarks])
    joined.weight.value = PackedContextModule.reordered(joined.weight.value)
    return PackedHead(conv: PackedConv2d(joined))
  }

  /// Makes a face improbable everywhere, one in a hundred, where the other weights are random, so
  /// that training does not start with false faces (Lin et al., "Focal Loss for Dense Object
  /// Detection", 2017).
  func startFromPrior() {
    let shape = classes.weight.shape
    classes.weight.value = Tensor(zeros: shape)
    let logits = [log(Float(99)), 0]
    classes.bias?.value = Tensor((0..<shape[3]).map { logits[$0 % 2] }, shape: [shape[3]])
  }
}

/// A level's head as one convolution, for inference only. It reads what a
/// `PackedContextModule` gives, in its order.
package struct PackedHead: Module {
  let conv: PackedConv2d

  package func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    conv.ofFirstChannels(x)
  }
}
