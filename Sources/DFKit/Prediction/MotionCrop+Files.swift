import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import MediaIO

extension FaceSample {
  /// Reads the crop, and the later one if `withLater` and if the manifest names one.
  ///
  /// - Throws: `MediaError` if a picture cannot be read; `DatasetError.unusable` if the two do not
  ///   have the same size.
  func crop(withLater: Bool) throws -> MotionCrop {
    let image = try ImageFile.read(file)
    guard withLater, let later else { return MotionCrop(image) }
    let picture = try ImageFile.read(later)
    guard picture.width == image.width, picture.height == image.height else {
      throw DatasetError.unusable(
        file: later.relativePath,
        problem: "has \(picture.width)x\(picture.height) pixels, but the crop \(path)"
          + " \(image.width)x\(image.height); both must be cut by the same box")
    }
    return MotionCrop(image, later: picture)
  }
}

extension FaceManifest {
  /// Throws if no sample has a later crop, which the network `name` needs to see motion.
  func requireLater(for name: String) throws(DatasetError) {
    guard !samples.contains(where: { $0.later != nil }) else { return }
    throw .impossible(
      problem: "\(name) reads the difference to a later frame, but no sample has a later crop"
        + " (column 'later'); extract the crops with 'dfkit extract --difference SECONDS'")
  }
}

extension MotionCrop {
  /// The warning about crops without a later one that a network with a difference judged; empty if
  /// all had one.
  static func warnings(without count: Int, of total: Int) -> [String] {
    guard count > 0 else { return [] }
    let part = count == total ? "" : "\(count) of \(total) faces "
    return [
      "\(part)judged without motion: there is no later frame, and the difference to it was taken as"
        + " zero"
    ]
  }
}

extension MediaFrame {
  /// Changes the picture and the later one. The second argument of `change` is the number of the
  /// frame in the order of decoding.
  mutating func change(_ change: (Image, Int) -> Image) {
    image = change(image, index)
    if let next = later { later?.image = change(next.image, next.index) }
  }
}
