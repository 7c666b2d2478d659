import DeepfakeCore
import FaceDetect

/// Detects faces in a stream of frames, a few at a time, and groups them by person. Frames are
/// released once they are searched.
///
/// With the scale `auto`, a frame that was scaled down and shows no face is searched again at full
/// size (`FrameScale.closerFactor`), until `enough` frames had a face in the first search. A video
/// of small faces thus gets all its faces. A video with large faces is searched at the reduced
/// size, and one without faces costs at most two searches for each frame. No frame is decoded twice
/// or kept for it.
struct FaceSearch {
  private let detector: any FaceDetector
  private let enough: Int
  private var tracker = FaceTracker()
  private var waiting: [MediaFrame] = []
  /// The number of frames with a face in the first search.
  private var framesWithFaces = 0
  /// The number of searched frames.
  private(set) var frames = 0
  /// The detector, the scale of the first frame and the number of second searches.
  private(set) var facts: FaceSearchFacts

  /// The number of frames passed to the detector at once.
  private static let batch = 4

  /// - Parameter enough: After this many frames with a face, frames without one are not searched
  ///   again.
  init(_ detector: any FaceDetector, name: String? = nil, enough: Int = 3) {
    self.detector = detector
    self.enough = enough
    facts = FaceSearchFacts(detector: name)
  }

  /// Adds the next frame. `found` is called with each searched frame and its faces, in order.
  mutating func add(
    _ frame: MediaFrame, _ found: (MediaFrame, [Face]) throws -> Void
  ) throws {
    waiting.append(frame)
    if waiting.count == Self.batch { try finish(found) }
  }

  /// Searches the frames that are still waiting. Call it after the last frame.
  mutating func finish(_ found: (MediaFrame, [Face]) throws -> Void) throws {
    try Task.checkCancellation()
    guard !waiting.isEmpty else { return }
    var lists = try StageTimes.measure(.detect) { try detector.detect(waiting.map(\.image)) }
    precondition(lists.count == waiting.count, "FaceDetector: one list a frame is needed")
    facts.frameScale = facts.frameScale ?? scale(of: waiting[0])
    try lookAgain(&lists)
    for (frame, faces) in zip(waiting, lists) {
      StageTimes.measure(.track) {
        tracker.add(faces, in: frame.image, time: frame.time ?? 0)
      }
      frames += 1
      try found(frame, faces)
    }
    waiting.removeAll(keepingCapacity: true)
  }

  /// Searches waiting frames without a face again at full size, while few frames had a face.
  private mutating func lookAgain(_ lists: inout [[Face]]) throws {
    guard detector.frameScale == .auto else { return }
    var places: [Int] = []
    for (place, faces) in lists.enumerated() {
      if !faces.isEmpty {
        framesWithFaces += 1
      } else if framesWithFaces < enough, scale(of: waiting[place]) < 1 {
        places.append(place)
      }
    }
    facts.secondLooks += places.count
    try StageTimes.measure(.detect) {
      let found = try detector.lookCloser(at: places.map { waiting[$0].image })
      for (place, faces) in zip(places, found) { lists[place] = faces }
    }
  }

  private func scale(of frame: MediaFrame) -> Float {
    detector.frameScale.factor(width: frame.image.width, height: frame.image.height)
  }

  /// The people in the frames searched so far.
  func tracks() -> [Track] { StageTimes.measure(.track) { tracker.tracks() } }
}

extension FaceDetector {
  /// Detects the faces of each frame again, at full size or with a longer side of 1920 pixels.
  func lookCloser(at frames: [Image]) throws -> [[Face]] {
    var lists = [[Face]](repeating: [], count: frames.count)
    let factors = frames.map { FrameScale.closerFactor(width: $0.width, height: $0.height) }
    for (factor, places) in Dictionary(grouping: frames.indices, by: { factors[$0] }) {
      let found = try detect(places.map { frames[$0] }, scale: .factor(factor))
      precondition(found.count == places.count, "FaceDetector: one list a frame is needed")
      for (place, faces) in zip(places, found) { lists[place] = faces }
    }
    return lists
  }
}

/// How faces were searched for in a file.
package struct FaceSearchFacts: Sendable, Equatable {
  /// The name of the detector's weights: the name of a fetched entry, `built-in NAME`, or the path
  /// of a file. Nil if the detector was made in code.
  package var detector: String?
  /// The factor by which the first frame was scaled; nil if there was no frame.
  package var frameScale: Float?
  /// The number of frames searched again, at full size or with a longer side of 1920 pixels.
  package var secondLooks = 0

  /// The facts before a search.
  package init(detector: String? = nil) {
    self.detector = detector
  }

  /// The value of `detector` in JSON (see `Docs/Formats.md`).
  var json: JSON {
    [
      "weights": .string(detector), "frameScale": .number(frameScale),
      "secondLooks": .integer(secondLooks),
    ]
  }
}
