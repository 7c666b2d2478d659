import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO
import Training

/// Finds the five landmarks of face crops that were cut without them, and writes them into a
/// manifest.
package struct LandmarkJob: Sendable {
  /// The manifests, and which of their samples are looked at; the others' rows stay as they are.
  package var input: DatasetInput
  /// Finds the faces. Detectors that find no landmarks find none here.
  package var detector: any FaceDetector
  /// What reports call the detector's weights; nil where it was made in code.
  package var detectorName: String?
  /// What is put around a crop, black, as a part of its longer side: detectors are made for faces
  /// that have something around them.
  package var padding: Float = 0.25
  /// Whether samples that have landmarks are looked at again.
  package var replacesKnown = false

  package init(_ input: DatasetInput, detector: any FaceDetector) {
    self.input = input
    self.detector = detector
  }

  /// What came out.
  package struct Result: Sendable {
    /// A picture that could not be used.
    package struct Unreadable: Sendable, Equatable {
      /// Its path in the manifest.
      package var path: String
      package var reason: String
    }

    /// The detector's weights, by the name that reports give them.
    package internal(set) var detector: String?
    /// Crops whose landmarks were found now.
    package internal(set) var found = 0
    /// Crops that had landmarks, and were left alone.
    package internal(set) var known = 0
    /// Crops in which no face is seen, by path.
    package internal(set) var faceless: [String] = []
    /// Pictures that cannot be used; the others were looked at all the same.
    package internal(set) var unreadable: [Unreadable] = []
    /// Crops that an interruption left.
    package internal(set) var waiting = 0
    /// Whether the work was interrupted; what was found by then is in the manifest that is written,
    /// and the same command on it goes on.
    package internal(set) var wasCancelled = false
    /// The rows' landmarks, over all manifests.
    var landmarks: [[Point]?] = []
  }

  /// Crops that are read before the detector sees them.
  private static let batch = 32

  /// Looks for faces. In a cancelled task, ends with what was found.
  ///
  /// - Throws: `DatasetError` where a manifest cannot be read.
  package func run(progress: (JobProgress) -> Void = { _ in }) throws(DatasetError) -> Result {
    var every = input
    (every.pathPrefix, every.origin) = (nil, nil)
    let manifest = try every.read().manifest
    var result = Result()
    result.detector = detectorName
    result.landmarks = manifest.samples.map(\.landmarks)
    var wanted: [Int] = []
    for row in try input.read().rows {
      if replacesKnown || result.landmarks[row] == nil {
        wanted.append(row)
      } else {
        result.known += 1
      }
    }
    var done = 0
    while done < wanted.count, !Task.isCancelled {
      let rows = wanted[done..<min(wanted.count, done + Self.batch)]
      look(at: Array(rows), of: manifest, into: &result)
      done += rows.count
      progress(
        JobProgress(
          "landmarks of \(result.found) of \(done) crops",
          part: Double(done) / Double(wanted.count)))
    }
    result.waiting = wanted.count - done
    result.wasCancelled = result.waiting > 0
    return result
  }

  /// Writes the manifests' rows with the column `landmarks` into one file, which may be one of
  /// them; all other fields stay as they are.
  ///
  /// - Throws: `DatasetError`.
  package func write(_ result: Result, to output: URL) throws(DatasetError) {
    try ManifestColumns([\.landmarks]).write(input.manifests, to: output) { row, sample in
      sample.landmarks = result.landmarks[row]
      return true
    }
  }

  private func look(at rows: [Int], of manifest: FaceManifest, into result: inout Result) {
    let files = rows.map { manifest.samples[$0].file }
    let pictures = Parallel.map(rows.count) { number in
      Swift.Result { try ImageFile.read(files[number]) }
    }
    var usable: [(row: Int, image: Image)] = []
    for (row, picture) in zip(rows, pictures) {
      switch picture {
      case .success(let image): usable.append((row, image))
      case .failure(let error): note(error, row, manifest, &result)
      }
    }
    if let points = try? landmarks(of: usable.map(\.image)) {
      for (crop, points) in zip(usable, points) { put(points, crop.row, manifest, &result) }
      return
    }
    // One of them stands in the way of all: each by itself.
    for crop in usable {
      do {
        put(try landmarks(of: [crop.image])[0], crop.row, manifest, &result)
      } catch {
        note(error, crop.row, manifest, &result)
      }
    }
  }

  private func note(
    _ error: any Error, _ row: Int, _ manifest: FaceManifest, _ result: inout Result
  ) {
    result.unreadable.append(
      Result.Unreadable(path: manifest.samples[row].path, reason: error.reason))
  }

  private func put(
    _ points: [Point]?, _ row: Int, _ manifest: FaceManifest, _ result: inout Result
  ) {
    if let points {
      result.landmarks[row] = points
      result.found += 1
    } else {
      result.faceless.append(manifest.samples[row].path)
    }
  }

  /// The five points of each crop's face, in pixels of the crop.
  ///
  /// Of several faces it is the one that is large and near the middle: the side of its box, less
  /// the distance of the box's middle from the crop's.
  package func landmarks(of crops: [Image]) throws -> [[Point]?] {
    let margins = crops.map { Int((Float(max($0.width, $0.height)) * padding).rounded()) }
    let padded = zip(crops, margins).map { crop, margin in
      crop.cropped(
        x: -margin, y: -margin, width: crop.width + 2 * margin, height: crop.height + 2 * margin)
    }
    let found = try detector.detect(padded)
    precondition(found.count == crops.count, "FaceDetector: one list a frame is needed")
    return zip(zip(padded, margins), found).map { crop, faces in
      let (frame, margin) = (crop.0, Float(crop.1))
      func fitness(_ face: Face) -> Float {
        let (x, y) = (face.box.center.x, face.box.center.y)
        let (right, down) = (x - Float(frame.width) / 2, y - Float(frame.height) / 2)
        return max(face.box.width, face.box.height) - (right * right + down * down).squareRoot()
      }
      let usable = faces.filter { $0.isFinite && $0.landmarks.count == 5 }
      return usable.max { fitness($0) < fitness($1) }?.landmarks.map {
        Point(x: $0.x - margin, y: $0.y - margin)
      }
    }
  }
}
