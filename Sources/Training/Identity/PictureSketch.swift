import DeepfakeCore
import FaceData
import Foundation
import MediaIO

/// A picture as 16x16 grey values, normalised for brightness and contrast. It is only detailed
/// enough to tell whether two crops are from the same shot.
struct PictureSketch: Sendable {
  static let side = 16

  /// Grey values of mean 0, scaled to length 1.
  private let values: [Float]

  init(_ picture: Image) {
    let side = Self.side
    let small = picture.resized(width: side, height: side, method: .area)
    var values = small.luma
    let mean = values.reduce(0, +) / Float(values.count)
    for index in values.indices { values[index] -= mean }
    let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    if length > 1e-3 { for index in values.indices { values[index] /= length } }
    self.values = values
  }

  /// The correlation of two sketches, -1 to 1.
  func correlation(with other: PictureSketch) -> Float {
    zip(values, other.values).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// The sketches of some samples, by their indices.
  ///
  /// - Throws: `DatasetError` for the first picture that cannot be read.
  static func sketches(
    of indices: [Int], in manifest: FaceManifest
  ) throws(DatasetError) -> [Int: PictureSketch] {
    let samples = manifest.samples
    let results = Parallel.map(indices.count) { place in
      Result { () throws(MediaError) in
        PictureSketch(try ImageFile.read(samples[indices[place]].file))
      }
    }
    var sketches: [Int: PictureSketch] = [:]
    for (index, result) in zip(indices, results) {
      switch result {
      case .success(let sketch): sketches[index] = sketch
      case .failure(let error): throw .picture(error)
      }
    }
    return sketches
  }
}
