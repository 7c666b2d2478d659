import DeepfakeCore
import Foundation

/// The head of one pyramid level: three 1x1 convolutions for logits, boxes and landmarks, whose
/// outputs are concatenated.
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

  /// The head as one convolution that reads the output of a `PackedContextModule`; the parameters
  /// are released.
  func packed() -> PackedHead {
    let joined = Conv2d(joining: [classes, boxes, landmarks])
    joined.weight.value = PackedContextModule.reordered(joined.weight.value)
    return PackedHead(conv: PackedConv2d(joined))
  }

  /// Initialises the face probability to 0.01 everywhere, so that training does not start with many
  /// false faces (Lin et al., "Focal Loss for Dense Object Detection", 2017).
  func startFromPrior() {
    let shape = classes.weight.shape
    classes.weight.value = Tensor(zeros: shape)
    let logits = [log(Float(99)), 0]
    classes.bias?.value = Tensor((0..<shape[3]).map { logits[$0 % 2] }, shape: [shape[3]])
  }
}

/// A level's head as one convolution, for inference only. It reads the output of a
/// `PackedContextModule`, in that module's order of channels.
package struct PackedHead: Module {
  let conv: PackedConv2d

  package func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    conv.ofFirstChannels(x)
  }
}
