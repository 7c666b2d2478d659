import DeepfakeCore
import FaceData
import FaceDetect
import Foundation
import MediaIO

/// Pictures of one face each of which it is known where the face is: what scenes are composed of.
package struct LabelledFaces: Sendable {
  private let manifest: FaceManifest
  /// The samples whose box and landmarks are known.
  private let indices: [Int]

  /// The number of pictures.
  package var count: Int { indices.count }
  /// The hash of the manifest, empty where it was made in code.
  var digest: String { manifest.digest }

  /// A picture and its face, in pixels of the picture.
  struct Portrait: Sendable {
    var image: Image
    var face: Face
  }

  /// The samples of a manifest whose `box` and `landmarks` are known, both in pixels of the
  /// picture.
  ///
  /// - Throws: `DatasetError` where there are none, or where a box is empty or not at the picture's
  ///   landmarks.
  package init(_ manifest: FaceManifest) throws(DatasetError) {
    self.manifest = manifest
    var indices: [Int] = []
    for (index, sample) in manifest.samples.enumerated() {
      guard let box = sample.box, let landmarks = sample.landmarks else { continue }
      guard Self.isSound(box, landmarks) else {
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

  private static func isSound(_ box: Box, _ landmarks: [Point]) -> Bool {
    let inside = landmarks.count {
      box.x1...max(box.x1, box.x2) ~= $0.x
        && box.y1...max(box.y1, box.y2) ~= $0.y
    }
    return box.width >= 4 && box.height >= 4 && max(box.width, box.height) <= largestSide
      && inside >= 3
  }

  /// A picture and its face.
  ///
  /// - Throws: `DatasetError` where it cannot be read.
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

  /// A picture drawn at random.
  func portrait(using generator: inout SeededGenerator) throws(DatasetError) -> Portrait {
    try portrait(generator.integer(in: 0...count - 1))
  }
}
