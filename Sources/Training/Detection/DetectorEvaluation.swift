import DeepfakeCore
import FaceDetect
import Foundation

/// Measures how well a detector finds the faces of composed scenes, by their size.
public struct DetectorEvaluation: Sendable {
  /// Scenes looked at.
  public var scenes = 400
  /// Their sides in pixels.
  public var size = 384
  /// What the scenes depend on.
  public var seed: UInt64 = 1
  /// A face is found where a detection has at least this intersection over union with it.
  public var overlap: Float = 0.4

  /// An evaluation with the defaults.
  public init() {}

  /// The lower ends of the groups of faces, by the longer side in pixels.
  public static let groupStarts: [Float] = [8, 16, 32, 64, 128]

  /// What a detector made of the scenes.
  public struct Result: Sendable, Equatable {
    /// Faces of a range of sizes.
    public struct Group: Sendable, Equatable {
      /// Where the range begins, in pixels.
      public var from: Float
      /// Faces.
      public var faces = 0
      /// The scores of those found.
      public var found: [Float] = []
    }

    /// By rising size.
    public var groups: [Group]
    /// The scores of what is no face.
    public var falseAlarms: [Float] = []
    /// Scenes looked at.
    public var scenes: Int
    /// The intersections over union of the faces found, in order of scenes.
    public var overlaps: [Float] = []
    /// The mean distance of the five landmarks from where they are, as parts of the distance between the eyes.
    public var landmarkErrors: [Float] = []

    /// The part of a group's faces that is found with at least a score; NaN without faces.
    public func recall(_ group: Group, threshold: Float) -> Double {
      Double(group.found.count { $0 >= threshold }) / Double(group.faces)
    }

    /// The part of all faces that is found.
    public func recall(threshold: Float) -> Double {
      Double(groups.reduce(0) { $0 + $1.found.count { $0 >= threshold } })
        / Double(groups.reduce(0) { $0 + $1.faces })
    }

    /// False alarms in a scene.
    public func falseAlarms(threshold: Float) -> Double {
      Double(falseAlarms.count { $0 >= threshold }) / Double(scenes)
    }
  }

  /// Lets a detector, with as low a threshold as is of interest, look at scenes of faces that it has not learned.
  ///
  /// - Throws: `DatasetError`, `CancellationError`, what the detector throws.
  public func run(_ detector: any FaceDetector, faces: LabelledFaces) throws -> Result {
    let composer = SceneComposer(faces: faces, size: size)
    var result = Result(
      groups: Self.groupStarts.map { Result.Group(from: $0) }, scenes: scenes)
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
    for face in scene.faces { result.groups[Self.group(of: face.box)].faces += 1 }
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
          result.groups[Self.group(of: face.box)].found.append(detection.score)
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

  private static func group(of box: Box) -> Int {
    let side = max(box.width, box.height)
    return groupStarts.lastIndex { $0 <= side } ?? 0
  }
}

extension Face {
  /// The mean distance of the landmarks from another face's, as a part of the distance between that one's eyes; nil
  /// where either has none.
  fileprivate func landmarkError(from other: Face) -> Float? {
    guard landmarks.count == 5, other.landmarks.count == 5 else { return nil }
    let distances = zip(landmarks, other.landmarks).map { hypot($0.x - $1.x, $0.y - $1.y) }
    let eyes = hypot(
      other.landmarks[0].x - other.landmarks[1].x, other.landmarks[0].y - other.landmarks[1].y)
    return eyes > 0 ? distances.reduce(0, +) / 5 / eyes : nil
  }
}
