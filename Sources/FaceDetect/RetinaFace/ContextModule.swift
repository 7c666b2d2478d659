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
    let context = Self.join([Part(first, 2 * quarter..<3 * quarter)], floor: -.infinity)
    let second = middleAndFar(context, mode)
    let wide = Self.join([Part(second, quarter..<2 * quarter)], floor: -.infinity)
    let third = farther(wide, mode)
    return Self.join(
      [Part(first, 0..<2 * quarter), Part(second, 0..<quarter), Part(third, 0..<quarter)],
      floor: 0)
  }

  /// Some channels of a tensor.
  private struct Part: Sendable {
    let tensor: Tensor
    let channels: Range<Int>

    init(_ tensor: Tensor, _ channels: Range<Int>) {
      self.tensor = tensor
      self.channels = channels
    }
  }

  /// The parts' channels side by side, values below `floor` raised to it. The numbers of channels are
  /// multiples of eight.
  private static func join(_ parts: [Part], floor: Float) -> Tensor {
    typealias Vector = SIMD8<Float>
    let size = MemoryLayout<Float>.size
    let shape = parts[0].tensor.shape
    let (rows, columns) = (shape[0] * shape[1], shape[2])
    let width = parts.reduce(0) { $0 + $1.channels.count }
    precondition(
      parts.allSatisfy { $0.channels.count % Vector.scalarCount == 0 },
      "ContextModule: \(parts.map(\.channels)) are not in eights")
    return Tensor(shape: [shape[0], shape[1], columns, width]) { output in
      nonisolated(unsafe) let output = UnsafeMutableRawBufferPointer(output)
      var start = 0
      for part in parts {
        let (channels, first) = (part.channels, start)
        let stride = part.tensor.shape[3]
        part.tensor.withUnsafeBuffer { input in
          nonisolated(unsafe) let input = UnsafeRawBufferPointer(input)
          Parallel.forEach(rows) { row in
            for pixel in row * columns..<(row + 1) * columns {
              let from = (pixel * stride + channels.lowerBound) * size
              let to = (pixel * width + first) * size
              for i in Swift.stride(
                from: 0, to: channels.count * size, by: MemoryLayout<Vector>.size)
              {
                let values = input.loadUnaligned(fromByteOffset: from + i, as: Vector.self)
                output.storeBytes(
                  of: values.replacing(with: floor, where: values .< floor),
                  toByteOffset: to + i, as: Vector.self)
              }
            }
          }
        }
        start += channels.count
      }
    }
  }
}
