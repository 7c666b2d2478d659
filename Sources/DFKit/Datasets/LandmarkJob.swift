import DeepfakeCore
import FaceData
import FaceDetect
import Foundation
import MediaIO

/// Finds the five landmarks of face crops that have none and writes them into a manifest.
package struct LandmarkJob: Sendable {
  /// The manifests, and which of their samples are searched. The rows of other samples are not
  /// changed.
  package var input: DatasetInput
  /// The detector to use. It must return landmarks; faces without five landmarks are ignored.
  package var detector: any FaceDetector
  /// The name of the detector's weights in reports; nil if the detector was made in code.
  package var detectorName: String?
  /// The width of the black border added around a crop, as a fraction of its longer side. Detectors
  /// are trained on faces with some background around them.
  package var padding: Float = 0.25
  /// Whether crops that already have landmarks are searched again.
  package var replacesKnown = false

  package init(_ input: DatasetInput, detector: any FaceDetector) {
    self.input = input
    self.detector = detector
  }

  /// The landmarks found, and the crops without any.
  package struct Result: Sendable {
    /// A picture that could not be used.
    package struct Unreadable: Sendable, Equatable {
      /// Its path in the manifest.
      package var path: String
      package var reason: String
    }

    /// The detector's weights, by the name that reports give them.
    package internal(set) var detector: String?
    /// The number of crops whose landmarks this run found.
    package internal(set) var found = 0
    /// The number of crops that already had landmarks and were not searched.
    package internal(set) var known = 0
    /// The paths of crops in which the detector found no usable face.
    package internal(set) var faceless: [String] = []
    /// Pictures that could not be read or searched. They do not stop the run.
    package internal(set) var unreadable: [Unreadable] = []
    /// The number of crops not searched yet because the run was cancelled.
    package internal(set) var waiting = 0
    /// Whether the run was cancelled. `write` then saves the landmarks found so far, and a run on
    /// the written manifest does the rest.
    package internal(set) var wasCancelled = false
    /// The landmarks of each row of all manifests; nil for rows without landmarks.
    var landmarks: [[Point]?] = []
  }

  /// The number of crops read and passed to the detector at once.
  private static let batch = 32

  /// Searches the crops. In a cancelled task, stops after the current batch and returns the
  /// landmarks found so far.
  ///
  /// - Throws: `DatasetError` if a manifest cannot be read or no sample is chosen.
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

  /// Writes the rows of all manifests, with the column `landmarks`, into one file. The file may be
  /// one of the manifests. All other fields keep their values.
  ///
  /// - Throws: `DatasetError` if a manifest cannot be read or the file cannot be written.
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
    // Searching the batch failed, perhaps because of one picture: search each picture alone.
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

  /// The five landmarks of each crop's face, in pixels of the crop; nil for a crop without a face.
  ///
  /// If there are several faces, takes the one that is large and near the middle: the one with the
  /// highest value of its box's longer side minus the distance between the box's center and the
  /// crop's center.
  ///
  /// - Throws: The errors of the detector.
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
