import DeepfakeCore

/// The context module of SSH (Najibi et al. 2017): chains of one, two and three 3x3 convolutions,
/// which see increasing surroundings of a face.
package struct ContextModule: Module {
  let near, shared, middle, far, farther: BatchNormConvolution

  /// Creates the module with `channels` inputs and outputs. The published keys mix upper and lower
  /// case.
  init(_ scope: Scope, channels: Int) {
    let activation = neckActivation(channels: channels)
    let (half, quarter) = (channels / 2, channels / 4)
    near = BatchNormConvolution(scope / "conv3X3", channels, half, kernel: 3, activation: .identity)
    shared = BatchNormConvolution(
      scope / "conv5X5_1", channels, quarter, kernel: 3, activation: activation)
    middle = BatchNormConvolution(
      scope / "conv5X5_2", quarter, quarter, kernel: 3, activation: .identity)
    far = BatchNormConvolution(
      scope / "conv7X7_2", quarter, quarter, kernel: 3, activation: activation)
    farther = BatchNormConvolution(
      scope / "conv7x7_3", quarter, quarter, kernel: 3, activation: .identity)
  }

  package func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    let context = shared(x, mode)
    let parts = [near(x, mode), middle(context, mode), farther(far(context, mode), mode)]
    return Tensor.concatenated(parts, axis: 3).relu()
  }

  /// The module packed for inference; the parameters are released.
  func packed() -> PackedContextModule {
    // A ReLU follows the module's output, so it can be applied to the parts (slope 0) beforehand.
    PackedContextModule(
      sharedAndNear: PackedBlock(joining: [shared, near], slopes: [shared.slope, 0]),
      middleAndFar: PackedBlock(joining: [middle, far], slopes: [0, far.slope]),
      farther: PackedBlock(joining: [farther], slopes: [0]))
  }
}

extension BatchNormConvolution {
  /// The factor by which the block's activation multiplies negative values.
  fileprivate var slope: Float {
    switch activation {
    case .leakyReLU(let slope): slope
    case .relu: 0
    default: preconditionFailure("\(conv.weight.key): \(activation) is not linear below 0")
    }
  }
}

/// The context module for inference. It has three convolutions instead of five, and each writes its
/// result directly to where the next one and the head read it.
///
/// In units of a quarter of the channels, a pixel has: shared (1), near (2), middle (1), far (1).
/// At the end `farther` replaces `shared`, and the first four quarters are the module's output.
package struct PackedContextModule: Module {
  let sharedAndNear, middleAndFar, farther: PackedBlock

  /// The weights of a head's convolution, reordered for this module's output, in which `farther`
  /// comes first.
  static func reordered(_ weight: Tensor) -> Tensor {
    let channels = weight.shape[2]
    let first = 3 * channels / 4
    return Tensor.concatenated(
      [weight.slice(axis: 2, first..<channels), weight.slice(axis: 2, 0..<first)], axis: 2)
  }

  package func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    let quarter = farther.conv.outputs
    var maps = Tensor(shape: x.shape.dropLast() + [5 * quarter]) { _ in }
    sharedAndNear.conv.write(x, to: &maps, at: 0)
    middleAndFar.conv.rewrite(&maps, from: 0, at: 3 * quarter)
    farther.conv.rewrite(&maps, from: 4 * quarter, at: 0)
    return maps
  }
}
