import DeepfakeCore

/// The context module of SSH (Najibi et al. 2017): 3x3 convolutions in chains of one, two and three,
/// that look at a face with growing surroundings.
package struct ContextModule: Module {
  let near, shared, middle, far, farther: ConvNorm

  /// The module from `channels` to as many; the published keys mix upper and lower case.
  init(_ scope: Scope, channels: Int) {
    let activation = neckActivation(channels: channels)
    let (half, quarter) = (channels / 2, channels / 4)
    near = ConvNorm(scope / "conv3X3", channels, half, kernel: 3, activation: .identity)
    shared = ConvNorm(scope / "conv5X5_1", channels, quarter, kernel: 3, activation: activation)
    middle = ConvNorm(scope / "conv5X5_2", quarter, quarter, kernel: 3, activation: .identity)
    far = ConvNorm(scope / "conv7X7_2", quarter, quarter, kernel: 3, activation: activation)
    farther = ConvNorm(scope / "conv7x7_3", quarter, quarter, kernel: 3, activation: .identity)
  }

  package func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    let context = shared(x, mode)
    let parts = [near(x, mode), middle(context, mode), farther(far(context, mode), mode)]
    return Tensor.concatenated(parts, axis: 3).relu()
  }

  /// The module ready for inference; the parameters are released.
  func packed() -> PackedContextModule {
    PackedContextModule(
      nearAndShared: PackedBlock(joining: [near, shared], activation: shared.activation),
      middleAndFar: PackedBlock(joining: [middle, far], activation: far.activation),
      farther: farther.packed())
  }
}

/// The context module for inference only: three convolutions in place of five.
///
/// Parts that have no activation of their own take their partner's, a leaky ReLU. That changes nothing:
/// they are next cut off at 0, and relu(leaky(x)) = relu(x).
package struct PackedContextModule: Module {
  let nearAndShared, middleAndFar, farther: PackedBlock

  package func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    let quarter = farther.conv.outputs
    let first = nearAndShared(x, mode)
    let second = middleAndFar(first.slice(axis: 3, 2 * quarter..<3 * quarter), mode)
    let third = farther(second.slice(axis: 3, quarter..<2 * quarter), mode)
    return Self.positive([(first, 2 * quarter), (second, quarter), (third, quarter)])
  }

  /// The first channels of each part, negative values cut off, side by side.
  private static func positive(_ parts: [(tensor: Tensor, channels: Int)]) -> Tensor {
    let shape = parts[0].tensor.shape
    let width = parts.reduce(0) { $0 + $1.channels }
    let (rows, columns) = (shape[0] * shape[1], shape[2])
    return Tensor(shape: [shape[0], shape[1], columns, width]) { output in
      nonisolated(unsafe) let output = output
      var first = 0
      for (tensor, channels) in parts {
        let stride = tensor.shape[3]
        let start = first
        tensor.withUnsafeBuffer { input in
          nonisolated(unsafe) let input = input
          Parallel.forEach(rows) { row in
            for pixel in row * columns..<(row + 1) * columns {
              let (from, to) = (pixel * stride, pixel * width + start)
              for c in 0..<channels { output[to + c] = max(0, input[from + c]) }
            }
          }
        }
        first += channels
      }
    }
  }
}
