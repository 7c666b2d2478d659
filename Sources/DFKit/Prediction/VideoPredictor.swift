import Classifiers
import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO

/// From a video or an image to a verdict: looks at evenly spread frames, finds faces, cuts them out of
/// the full-resolution frames and lets an ensemble judge them.
///
/// Frames are looked at a few at a time and only the crops are kept, so memory does not grow with the
/// video.
public struct VideoPredictor: Sendable {
  /// Which frames, faces and crops. Its detector, members and aggregation are not used here: those are
  /// `detector` and `ensemble`.
  public var recipe: Recipe
  /// Finds the faces.
  public var detector: any FaceDetector
  /// Judges them.
  public var ensemble: Ensemble

  /// Frames that detection sees at once.
  fileprivate static let batch = 4

  /// A predictor.
  public init(recipe: Recipe, detector: any FaceDetector, ensemble: Ensemble) {
    self.recipe = recipe
    self.detector = detector
    self.ensemble = ensemble
  }

  /// The verdict on a file.
  ///
  /// - Parameter progress: called with the part of the work that is done, 0 to 1.
  /// - Throws: `MediaError` where the file is neither an image nor a video that can be read,
  ///   `CancellationError` in a cancelled task, and what the detector and the ensemble's members throw.
  public func predict(
    _ file: URL, progress: (Double) -> Void = { _ in }
  ) throws -> VideoReport {
    let start = ContinuousClock.now
    var search = FaceSearch(predictor: self)
    var report = VideoReport(file: file.relativePath, verdict: .undecided(.noFaces))
    let frames = recipe.frames
    report.warnings = try MediaFrame.read(file, .spread(frames)) { frame in
      try search.add(frame)
      progress(min(1, Double(search.frames) / Double(frames)) * 0.5)
    }
    try search.finish()
    report.frames = search.frames
    report.facesFound = search.framesWithFaces
    let needed = min(recipe.faces.minFrames, search.frames)
    if search.framesWithFaces == 0 {
      report.verdict = .undecided(.noFaces)
    } else if search.framesWithFaces < needed {
      report.verdict = .undecided(.tooFewFaces(found: search.framesWithFaces, needed: needed))
    } else {
      try judge(search.found, into: &report, progress: progress)
    }
    report.seconds = (ContinuousClock.now - start).seconds
    progress(1)
    return report
  }

  private func judge(
    _ found: [FaceSearch.Found], into report: inout VideoReport, progress: (Double) -> Void
  ) throws {
    let crops = found.map(\.crop)
    var scores: [MemberScores] = []
    for member in ensemble.members {
      try Task.checkCancellation()
      // What detection or the member before left behind has sizes that this member cannot use.
      TensorMemory.releaseUnused()
      scores.append(
        MemberScores(name: member.name, frames: try ensemble.scores(of: member, crops)))
      progress(0.5 + 0.5 * Double(scores.count) / Double(ensemble.members.count))
    }
    let assessment = ensemble.combine(scores)
    report.verdict = Verdict(probability: assessment.probability)
    report.members = assessment.members.map {
      VideoReport.MemberScore(name: $0.name, probability: $0.probability)
    }
    report.frameScores = found.enumerated().map { index, face in
      VideoReport.FrameScore(
        time: face.time, box: face.box,
        scores: assessment.members.map { member in
          let score = member.frames.count == 1 ? member.frames[0] : member.frames[index]
          return VideoReport.MemberScore(name: member.name, probability: score)
        })
    }
  }
}

/// Collects the crops of a stream of frames.
private struct FaceSearch {
  /// One face to judge.
  struct Found {
    let time: Double
    let box: Box
    let crop: Image
  }

  let predictor: VideoPredictor
  private(set) var frames = 0
  private(set) var framesWithFaces = 0
  private(set) var found: [Found] = []
  private var waiting: [MediaFrame] = []

  init(predictor: VideoPredictor) {
    self.predictor = predictor
  }

  mutating func add(_ frame: MediaFrame) throws {
    frames += 1
    waiting.append(frame)
    if waiting.count == VideoPredictor.batch { try finish() }
  }

  /// Looks for faces in the frames that wait.
  mutating func finish() throws {
    try Task.checkCancellation()
    guard !waiting.isEmpty else { return }
    let lists = try predictor.detector.detect(waiting.map(\.image))
    precondition(lists.count == waiting.count, "FaceDetector: one list a frame is needed")
    for (frame, faces) in zip(waiting, lists) where !faces.isEmpty {
      framesWithFaces += 1
      for face in predictor.recipe.faces.chosen(from: faces) {
        let crop = predictor.recipe.crop.cut(face, from: frame.image)
        found.append(Found(time: frame.time ?? 0, box: face.box, crop: crop))
      }
    }
    waiting.removeAll(keepingCapacity: true)
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
