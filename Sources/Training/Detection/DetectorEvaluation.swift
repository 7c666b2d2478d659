import DeepfakeCore
import FaceData
import FaceDetect
import Foundation

/// Measures how well a detector finds faces in composed scenes, by the faces' size, pose and light.
package struct DetectorEvaluation: Sendable {
  /// Number of scenes.
  package var scenes = 400
  /// Side of the scenes in pixels.
  package var size = 384
  /// Random seed of the scenes.
  package var seed: UInt64 = 1
  /// Minimum IoU of a detection with the face that it finds.
  package var overlap: Float = 0.4

  package init() {}

  /// The result of a detector on the scenes.
  package struct Result: Sendable, Equatable {
    /// A group of faces with a common property.
    package struct Group: Sendable, Equatable {
      /// The property, such as "16 to 32 pixels".
      package var name: String
      /// The number of faces.
      package var faces = 0
      /// The scores of the faces that were found.
      package var found: [Float] = []

      /// The fraction of the faces found with at least a score; NaN without faces.
      package func recall(threshold: Float) -> Double {
        Double(found.count { $0 >= threshold }) / Double(faces)
      }
    }

    /// All faces.
    package var all = Group(name: "all")
    /// The same faces by size, pose and light, in the order of `FaceGroup.allCases`.
    package var groups = FaceGroup.allCases.map { Group(name: $0.rawValue) }
    /// The scores of detections that are no face.
    package var falseAlarms: [Float] = []
    /// Number of scenes.
    package var scenes: Int
    /// The IoU of each face found with its detection, in the order of scenes.
    package var overlaps: [Float] = []
    /// For each face found, the mean distance of the five landmarks from their true positions, as a
    /// fraction of the distance between the eyes.
    package var landmarkErrors: [Float] = []

    /// False alarms per scene with at least a score.
    package func falseAlarms(threshold: Float) -> Double {
      Double(falseAlarms.count { $0 >= threshold }) / Double(scenes)
    }
  }

  /// Runs a detector on scenes made of `faces`, which it should not have been trained on. The
  /// detector's own threshold should be the lowest one of interest.
  ///
  /// - Throws: `DatasetError` if a picture cannot be read, `CancellationError`, and errors of the
  ///   detector.
  package func run(_ detector: any FaceDetector, faces: LabelledFaces) throws -> Result {
    let composer = SceneComposer(faces: faces, size: size)
    var result = Result(scenes: scenes)
    for start in stride(from: 0, to: scenes, by: Self.block) {
      try Task.checkCancellation()
      let numbers = start..<min(scenes, start + Self.block)
      let made = Parallel.map(numbers.count) { place in
        Swift.Result { () throws(DatasetError) in
          var generator = SeededGenerator(
            seed: seed, label: "evaluation \(numbers.lowerBound + place)")
          return try composer.scene(using: &generator)
        }
      }
      let scenes = try made.map { try $0.get() }
      for (scene, found) in zip(scenes, try detector.detect(scenes.map(\.image))) {
        count(found, in: scene, into: &result)
      }
    }
    return result
  }

  private static let block = 16

  private func count(_ found: [Face], in scene: DetectionScene, into result: inout Result) {
    var left = Array(scene.faces.indices)
    let groups = scene.faces.map {
      FaceGroup.groups(of: $0, in: scene.image).compactMap(FaceGroup.allCases.firstIndex)
    }
    result.all.faces += scene.faces.count
    for group in groups.joined() { result.groups[group].faces += 1 }
    for detection in found {
      let best = left.max {
        detection.box.intersectionOverUnion(with: scene.faces[$0].box)
          < detection.box.intersectionOverUnion(with: scene.faces[$1].box)
      }
      if let best {
        let face = scene.faces[best]
        let shared = detection.box.intersectionOverUnion(with: face.box)
        if shared >= overlap {
          left.removeAll { $0 == best }
          result.all.found.append(detection.score)
          for group in groups[best] { result.groups[group].found.append(detection.score) }
          result.overlaps.append(shared)
          if let error = detection.landmarkError(from: face) { result.landmarkErrors.append(error) }
          continue
        }
      }
      // A detection that mostly overlaps an ignored box is no false alarm.
      let isExcused = scene.ignored.contains {
        detection.box.share(coveredBy: $0) > 0.5 || $0.share(coveredBy: detection.box) > 0.5
      }
      if !isExcused { result.falseAlarms.append(detection.score) }
    }
  }
}

extension Face {
  /// The mean distance of the landmarks from those of `other`, as a fraction of the distance
  /// between the eyes of `other`; nil if one of the faces has no landmarks.
  fileprivate func landmarkError(from other: Face) -> Float? {
    guard landmarks.count == 5, other.landmarks.count == 5 else { return nil }
    let distances = zip(landmarks, other.landmarks).map { hypot($0.x - $1.x, $0.y - $1.y) }
    let eyes = hypot(
      other.landmarks[0].x - other.landmarks[1].x, other.landmarks[0].y - other.landmarks[1].y)
    return eyes > 0 ? distances.reduce(0, +) / 5 / eyes : nil
  }
}
