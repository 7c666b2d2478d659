import DeepfakeCore
import FaceData
import FaceDetect
import Foundation
import MediaIO

/// Pictures with one face each, whose box and landmarks are known. Scenes are composed of them.
package struct LabelledFaces: Sendable {
  private let manifest: FaceManifest
  /// Indices of the samples with a known box and landmarks.
  private let indices: [Int]

  /// The number of pictures.
  package var count: Int { indices.count }
  /// The SHA-256 of the manifest; empty if it was made in code.
  var digest: String { manifest.digest }

  /// A picture and its face. Coordinates are in pixels of the picture.
  struct Portrait: Sendable {
    var image: Image
    var face: Face
  }

  /// The samples of a manifest that have both `box` and `landmarks`, in pixels of the picture.
  ///
  /// - Throws: `DatasetError` if there are none, or if a box is too small (below 4 pixels), too
  ///   large, or contains fewer than three of its landmarks.
  package init(_ manifest: FaceManifest) throws(DatasetError) {
    self.manifest = manifest
    var indices: [Int] = []
    for (index, sample) in manifest.samples.enumerated() {
      guard let box = sample.box, let landmarks = sample.landmarks else { continue }
      guard Self.isUsable(box, landmarks) else {
        throw .impossible(
          problem:
            "\(sample.path): the box is empty, or most landmarks are outside it; box and landmarks"
            + " must be in pixels of the picture")
      }
      indices.append(index)
    }
    guard !indices.isEmpty else {
      throw .impossible(
        problem:
          "no sample has both a box and landmarks; the detector is trained on pictures with a known"
          + " face position")
    }
    self.indices = indices
  }

  private static let largestSide: Float = 16384

  private static func isUsable(_ box: Box, _ landmarks: [Point]) -> Bool {
    let inside = landmarks.count {
      box.x1...max(box.x1, box.x2) ~= $0.x
        && box.y1...max(box.y1, box.y2) ~= $0.y
    }
    return box.width >= 4 && box.height >= 4 && max(box.width, box.height) <= largestSide
      && inside >= 3
  }

  /// Reads a picture with its face.
  ///
  /// - Throws: `DatasetError` if the picture cannot be read.
  func portrait(_ number: Int) throws(DatasetError) -> Portrait {
    let sample = manifest.samples[indices[number]]
    do {
      return Portrait(
        image: try ImageFile.read(sample.file),
        face: Face(
          box: sample.box ?? Box(x1: 0, y1: 0, x2: 0, y2: 0), score: 1,
          landmarks: sample.landmarks ?? []))
    } catch {
      throw .picture(error)
    }
  }

  /// Reads a random picture with its face.
  func portrait(using generator: inout SeededGenerator) throws(DatasetError) -> Portrait {
    try portrait(generator.integer(in: 0...count - 1))
  }
}
