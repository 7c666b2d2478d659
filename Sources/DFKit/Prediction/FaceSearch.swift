import DeepfakeCore
import FaceDetect

/// Looks for faces in a stream of frames, a few at a time, and joins them into people. Frames are given
/// up once they are searched.
struct FaceSearch {
  private let detector: any FaceDetector
  private var tracker = FaceTracker()
  private var waiting: [MediaFrame] = []
  /// Frames that were searched.
  private(set) var frames = 0

  /// Frames that detection sees at once.
  private static let batch = 4

  init(_ detector: any FaceDetector) {
    self.detector = detector
  }

  /// Takes the next frame. `found` is called with every frame that has been searched, in order, and its
  /// faces.
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
    let lists = try StageTimes.measure(.detect) { try detector.detect(waiting.map(\.image)) }
    precondition(lists.count == waiting.count, "FaceDetector: one list a frame is needed")
    for (frame, faces) in zip(waiting, lists) {
      StageTimes.measure(.track) {
        tracker.add(faces, in: frame.image, time: frame.time ?? 0)
      }
      frames += 1
      try found(frame, faces)
    }
    waiting.removeAll(keepingCapacity: true)
  }

  /// The people in the frames so far.
  func tracks() -> [Track] { StageTimes.measure(.track) { tracker.tracks() } }
}
