import DeepfakeCore
import FaceData
import FaceDetect
import Foundation

/// Measures how well a detector finds the faces of composed scenes, by their size, their pose and
/// their light.
package struct DetectorEvaluation: Sendable {
  /// Scenes looked at.
  package var scenes = 400
  /// Their sides in pixels.
  package var size = 384
  /// What the scenes depend on.
  package var seed: UInt64 = 1
  /// A face is found where a detection has at least this intersection over union with it.
  package var overlap: Float = 0.4

  /// An evaluation with the defaults.
  package init() {}

  /// What a detector made of the scenes.
  package struct Result: Sendable, Equatable {
    /// Faces that have something in common.
    package struct Group: Sendable, Equatable {
      /// What they have in common, as in "16 to 32 pixels".
      package var name: String
      /// The number of faces.
      package var faces = 0
      /// The scores of those found.
      package var found: [Float] = []

      /// The part of the faces that is found with at least a score; NaN without faces.
      package func recall(threshold: Float) -> Double {
        Double(found.count { $0 >= threshold }) / Double(faces)
      }
    }

    /// All faces.
    package var all = Group(name: "all")
    /// The same faces by size, pose and light, in the order of `FaceGroup.allCases`.
    package var groups = FaceGroup.allCases.map { Group(name: $0.rawValue) }
    /// The scores of what is no face.
    package var falseAlarms: [Float] = []
    /// Scenes looked at.
    package var scenes: Int
    /// The intersections over union of the faces found, in order of scenes.
    package var overlaps: [Float] = []
    /// The mean distance of the five landmarks from where they are, as parts of the distance
    /// between the eyes.
    package var landmarkErrors: [Float] = []

    /// False alarms in a scene.
    package func falseAlarms(threshold: Float) -> Double {
      Double(falseAlarms.count { $0 >= threshold }) / Double(scenes)
    }
  }

  /// Lets a detector, with as low a threshold as is of interest, look at scenes of faces that it
  /// has not learned.
  ///
  /// - Throws: `DatasetError`, `CancellationError`, what the detector throws.
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
      // What covers half of a place where anything may be said is no false alarm.
      let isExcused = scene.ignored.contains {
        detection.box.share(coveredBy: $0) > 0.5 || $0.share(coveredBy: detection.box) > 0.5
      }
      if !isExcused { result.falseAlarms.append(detection.score) }
    }
  }
}

extension Face {
  /// The mean distance of the landmarks from another face's, as a part of the distance between that
  /// one's eyes; nil where either has none.
  fileprivate func landmarkError(from other: Face) -> Float? {
    guard landmarks.count == 5, other.landmarks.count == 5 else { return nil }
    let distances = zip(landmarks, other.landmarks).map { hypot($0.x - $1.x, $0.y - $1.y) }
    let eyes = hypot(
      other.landmarks[0].x - other.landmarks[1].x, other.landmarks[0].y - other.landmarks[1].y)
    return eyes > 0 ? distances.reduce(0, +) / 5 / eyes : nil
  }
}
