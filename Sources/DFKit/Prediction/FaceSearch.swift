import DeepfakeCore
import FaceDetect

/// Looks for faces in a stream of frames, a few at a time, and joins them into people. Frames are
/// given up once they are searched.
///
/// With the scale `auto`, a frame that was shrunk and shows no face is looked at again at full size
/// (`FrameScale.closerFactor`), until faces were found in `enough` frames without that. So a video
/// of small faces gets them all, one with a face costs a look at the reduced size, and one without
/// costs at most both looks at each frame. Nothing has to be decoded twice or kept for it.
struct FaceSearch {
  private let detector: any FaceDetector
  private let enough: Int
  private var tracker = FaceTracker()
  private var waiting: [MediaFrame] = []
  /// Frames with a face at the first look.
  private var framesWithFaces = 0
  /// Frames that were searched.
  private(set) var frames = 0
  /// How the frames were scaled.
  private(set) var facts: FaceSearchFacts

  /// Frames that detection sees at once.
  private static let batch = 4

  /// - Parameter enough: frames with a face, from which on a frame without one is believed to have
  ///   none.
  init(_ detector: any FaceDetector, name: String? = nil, enough: Int = 3) {
    self.detector = detector
    self.enough = enough
    facts = FaceSearchFacts(detector: name)
  }

  /// Takes the next frame. `found` is called with every frame that has been searched, in order, and
  /// its faces.
  mutating func add(
    _ frame: MediaFrame, _ found: (MediaFrame, [Face]) throws -> Void
  ) throws {
    waiting.append(frame)
    if waiting.count == Self.batch { try finish(found) }
  }

  /// Searches the frames that wait.
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

  /// Searches those of the waiting frames at full size that seem to have no face, as long as few
  /// have.
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

  /// The people in the frames so far.
  func tracks() -> [Track] { StageTimes.measure(.track) { tracker.tracks() } }
}

extension FaceDetector {
  /// The faces of each frame in a second look, at full size or what comes next to it.
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

/// How faces were looked for in a file.
package struct FaceSearchFacts: Sendable, Equatable {
  /// The detector's weights: the name of a fetched entry, `built-in NAME`, or the path of a file;
  /// nil where the detector was made in code.
  package var detector: String?
  /// The factor by which the first frame was scaled; nil where there was none.
  package var frameScale: Float?
  /// Frames that were searched a second time, at full size or with a longer side of 1920 pixels.
  package var secondLooks = 0

  /// Facts of a search that has not begun.
  package init(detector: String? = nil) {
    self.detector = detector
  }

  /// `detector` in JSON (see `Docs/Formats.md`).
  var json: JSON {
    [
      "weights": .string(detector), "frameScale": .number(frameScale),
      "secondLooks": .integer(secondLooks),
    ]
  }
}
