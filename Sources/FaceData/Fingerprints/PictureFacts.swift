import DeepfakeCore
import Foundation

/// What a picture is like as a file and a signal, whatever it shows: what a shortcut could go by.
package struct PictureFacts: Sendable, Equatable {
  /// The kind of a picture's file.
  package enum Format: UInt8, Sendable, CaseIterable {
    /// Lossy.
    case jpeg = 1
    /// Lossless.
    case png = 2

    /// The name for people.
    package var name: String { self == .jpeg ? "JPEG" : "PNG" }
  }

  /// Pixels across.
  package var width: Int
  /// Pixels down.
  package var height: Int
  /// The file's size.
  package var fileBytes: Int
  /// The file's kind.
  package var format: Format
  /// The quality, 1 to 100, at which libjpeg makes the most similar quantisation tables; nil for
  /// PNG.
  package var jpegQuality: Int?
  /// The variance of the Laplacian of the grey picture scaled to 128x128 pixels.
  package var sharpness: Float
  /// The variance of the Laplacian of the grey picture at its own size.
  package var ownSharpness: Float
  /// The mean of red, green and blue, each 0 to 255.
  package var mean: SIMD3<Float>
  /// The standard deviation of red, green and blue.
  package var deviation: SIMD3<Float>
  /// The mean saturation, 0 to 1: the share of the strongest channel by which it exceeds the
  /// weakest.
  package var saturation: Float
  /// The standard deviation of noise in the grey picture (Immerkaer 1996); texture counts as noise.
  package var noise: Float
  /// The mean step between pixels across the borders of JPEG's 8x8 blocks over that within blocks,
  /// less 1.
  package var blockiness: Float
}

/// Facts in 60 bytes, as tables and caches keep them.
struct PackedFacts: Sendable {
  var width: Int32 = 0
  var height: Int32 = 0
  var fileBytes: Int32 = 0
  var format: UInt8 = 0
  /// 0 for none.
  var quality: UInt8 = 0
  var unused: UInt16 = 0
  var sharpness: Float = 0
  var ownSharpness: Float = 0
  var mean: (Float, Float, Float) = (0, 0, 0)
  var deviation: (Float, Float, Float) = (0, 0, 0)
  var saturation: Float = 0
  var noise: Float = 0
  var blockiness: Float = 0

  var facts: PictureFacts {
    PictureFacts(
      width: Int(width), height: Int(height), fileBytes: Int(fileBytes),
      format: PictureFacts.Format(rawValue: format) ?? .jpeg,
      jpegQuality: quality == 0 ? nil : Int(quality), sharpness: sharpness,
      ownSharpness: ownSharpness, mean: SIMD3(mean.0, mean.1, mean.2),
      deviation: SIMD3(deviation.0, deviation.1, deviation.2), saturation: saturation,
      noise: noise, blockiness: blockiness)
  }
}
