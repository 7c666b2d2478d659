import DeepfakeCore
import Foundation

/// P-Net, packed for inference.
package struct PNet: Sendable {
  /// The distance between windows and the side of a window, in pixels.
  static let stride = 2
  static let window = 12
  /// Per window: two logits (background, face), then four box offsets.
  static let channels = 6

  let pipeline: PixelPipeline

  /// The outputs for every level of every frame, each [rows, columns, 6].
  package func callAsFunction(_ levels: [PixelWindow], of frames: [Image]) -> [Tensor] {
    pipeline(levels, of: frames)
  }

  /// The size in bytes of the outputs for a level of that size.
  func outputBytes(width: Int, height: Int) -> Int {
    pipeline.outputExtent(width) * pipeline.outputExtent(height) * Self.channels
      * MemoryLayout<Float>.size
  }
}

/// R-Net or O-Net, packed for inference. Each crop gives one row of outputs.
package struct CropNet: Sendable {
  /// The side of the square input crops, in pixels.
  package let side: Int
  let trunk: PixelPipeline
  let last: PackedConv2d
  let dense, heads: PackedLinear

  /// The largest number of crops in a batch, which limits the memory used.
  static let cropsAtOnce = 512

  /// [crops, outputs]: two logits (background, face), four box offsets and, for O-Net, the x
  /// coordinates of the five landmarks followed by their y coordinates.
  package func callAsFunction(_ crops: [PixelWindow], of frames: [Image]) -> Tensor {
    let maps = last(trunk.batch(crops, of: frames))
    return heads(dense(maps.reshaped([crops.count, maps.count / max(1, crops.count)])))
  }
}

/// The face probability: the second softmax output of two logits.
func faceProbability(_ background: Float, _ face: Float) -> Float {
  sigmoid(face - background)
}
