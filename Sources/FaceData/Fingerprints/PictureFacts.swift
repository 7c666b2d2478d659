import DeepfakeCore
import Foundation

/// Properties of a picture as a file and a signal, regardless of its content. Shortcuts use these.
package struct PictureFacts: Sendable, Equatable {
  /// The format of a picture's file.
  package enum Format: UInt8, Sendable, CaseIterable {
    /// Lossy.
    case jpeg = 1
    /// Lossless.
    case png = 2

    /// The name in messages.
    package var name: String { self == .jpeg ? "JPEG" : "PNG" }
  }

  /// Width in pixels.
  package var width: Int
  /// Height in pixels.
  package var height: Int
  /// Size of the file in bytes.
  package var fileBytes: Int
  /// Format of the file.
  package var format: Format
  /// The quality, 1 to 100, at which libjpeg's quantisation tables are nearest to the file's; nil
  /// for PNG or if the file has no table.
  package var jpegQuality: Int?
  /// The variance of the Laplacian of the grey picture scaled to 128x128 pixels.
  package var sharpness: Float
  /// The variance of the Laplacian of the grey picture at its own size.
  package var ownSharpness: Float
  /// The mean of red, green and blue, each 0 to 255.
  package var mean: SIMD3<Float>
  /// The standard deviation of red, green and blue.
  package var deviation: SIMD3<Float>
  /// The mean saturation, 0 to 1. A pixel's saturation is (max - min) / max over its channels.
  package var saturation: Float
  /// The standard deviation of noise in the grey picture (Immerkaer 1996); texture counts as noise.
  package var noise: Float
  /// The mean step between pixels across the borders of JPEG's 8x8 blocks, divided by the mean step
  /// within blocks, minus 1.
  package var blockiness: Float
}

/// `PictureFacts` in 60 bytes, for tables and caches.
struct PackedFacts: Sendable {
  var width: Int32 = 0
  var height: Int32 = 0
  var fileBytes: Int32 = 0
  var format: UInt8 = 0
  /// 0 if unknown.
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
