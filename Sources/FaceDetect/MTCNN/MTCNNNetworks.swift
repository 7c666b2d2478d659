import DeepfakeCore
import Foundation

/// P-Net ready for inference.
package struct PNet: Sendable {
  /// Pixels from one window to the next, and a window's side.
  static let stride = 2
  static let window = 12
  /// Two logits (background, face), then four box offsets.
  static let channels = 6

  let pipeline: PixelPipeline

  /// The outputs [rows, columns, 6] for every level of every frame.
  package func callAsFunction(_ levels: [PixelWindow], of frames: [Image]) -> [Tensor] {
    pipeline(levels, of: frames)
  }

  /// Bytes that the outputs for a level take.
  func outputBytes(width: Int, height: Int) -> Int {
    pipeline.outputExtent(width) * pipeline.outputExtent(height) * Self.channels
      * MemoryLayout<Float>.size
  }
}

/// R-Net or O-Net ready for inference: crops of one size in, a row of numbers for each out.
package struct CropNet: Sendable {
  /// The side of the crops that the network sees.
  package let side: Int
  let trunk: PixelPipeline
  let last: PackedConv2d
  let dense, heads: PackedLinear

  /// Crops that go through the network together: what bounds its memory.
  static let cropsAtOnce = 512

  /// [crops, outputs]: two logits (background, face), four box offsets and, of O-Net, the x of five
  /// landmarks and then their y.
  package func callAsFunction(_ crops: [PixelWindow], of frames: [Image]) -> Tensor {
    let maps = last(trunk.batch(crops, of: frames))
    return heads(dense(maps.reshaped([crops.count, maps.count / max(1, crops.count)])))
  }
}

/// The probability of the second of two logits, as a softmax gives it.
func faceProbability(_ background: Float, _ face: Float) -> Float {
  sigmoid(face - background)
}
