import Classifiers
import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO

/// From a video or an image to a verdict: looks at evenly spread frames, finds faces, cuts them out
/// of the full-resolution frames, joins them into people, and lets an ensemble judge them.
///
/// Frames are looked at a few at a time and only the crops are kept, so memory does not grow with
/// the video.
///
/// ```swift
/// let predictor = try VideoPredictor(recipe: Recipe.named("default"))
/// let report = try predictor.predict(clip)
/// print(report.verdict.answer, report.verdict.probability ?? .nan)
/// ```
public struct VideoPredictor: Sendable {
  /// Frames looked at in a video, evenly spread.
  public var frames: Int
  /// Which of a frame's faces are judged.
  public var faces: Recipe.Faces
  /// How they are cut out.
  public var crop: Recipe.Crop
  /// Finds the faces.
  public var detector: any FaceDetector
  /// What reports call the detector's weights; nil where it was made in code.
  public var detectorName: String?
  /// Judge the faces, one after the other.
  public var members: [Ensemble.Member]
  /// Makes verdicts of what the members say.
  package var maker: VerdictMaker
  /// How a file's verdict follows from its people's; it can be a rule of your own. nil: all faces
  /// are judged as if they were one person's.
  public var rule: (any PeopleRule)? {
    get { maker.rule }
    set { maker.rule = newValue }
  }
  /// How the networks see the crops; as they were cut unless told otherwise.
  package var view = CropView.plain
  /// Changes a frame, whose place in decoded order is given, before anything looks at it; nil
  /// changes nothing.
  public var retouch: (@Sendable (Image, Int) -> Image)?
  /// Whether networks stay in memory from file to file; otherwise each is there only while it
  /// judges.
  public var keepsNetworks = true

  /// A predictor.
  ///
  /// - Parameters:
  ///   - recipe: which frames, faces and crops are judged, and how verdicts are made. Its detector,
  ///     members and aggregation are not looked at: `detector` and `ensemble` stand for them.
  public init(recipe: Recipe, detector: any FaceDetector, ensemble: Ensemble) {
    frames = recipe.frames
    faces = recipe.faces
    crop = recipe.crop
    self.detector = detector
    members = ensemble.members
    maker = VerdictMaker(recipe, ensemble.combination)
  }

  /// The verdict on a file.
  ///
  /// - Parameter progress: called with the part of the work that is done, 0 to 1.
  /// - Throws: `MediaError` where the file is neither an image nor a video that can be read,
  ///   `CancellationError` in a cancelled task, and what the detector and the ensemble's members
  ///   throw.
  public func predict(
    _ file: URL, progress: (Double) -> Void = { _ in }
  ) throws -> VideoReport {
    try judge(file, progress: progress).report
  }

  /// The verdict on a file, and the crops that it was made of.
  ///
  /// - Returns: the report, and one crop for each face of its `scores`.
  /// - Throws: as `predict`.
  package func judge(
    _ file: URL, progress: (Double) -> Void = { _ in }
  ) throws -> (report: VideoReport, crops: [JudgedCrop]) {
    let start = ContinuousClock.now
    var search = FaceSearch(
      detector, name: detectorName, enough: max(maker.minFrames, maker.minFramesOfPerson))
    var judged = JudgedFaces(faces, crop, view)
    var report = VideoReport(file: file.relativePath, verdict: .undecided(.noFaces))
    report.warnings = try StageTimes.measure(.decode) {
      try MediaFrame.read(file, .spread(frames)) { frame in
        var frame = frame
        if let retouch { frame.image = retouch(frame.image, frame.index) }
        try search.add(frame) { judged.add($0, $1) }
        progress(frame.place * 0.5)
      }
    }
    try search.finish { judged.add($0, $1) }
    report.frames = search.frames
    report.search = search.facts
    report.facesFound = judged.framesWithFaces
    if maker.rule != nil, judged.mostLeftOut > 0 {
      report.warnings.append(
        "there are up to \(judged.mostLeftOut + faces.perFrame) faces in a frame, of which"
          + " \(faces.perFrame) are judged (faces.perFrame)"
      )
    }
    report.people = judged.people(search.tracks())
    try maker.decide(&report) { table in
      table = ScoreTable(faces: judged.faces)
      try StageTimes.measure(.classify) {
        try table.add(
          members, crops: judged.crops, sides: judged.sides, asOne: maker.rule == nil,
          unloading: !keepsNetworks
        ) { progress(0.5 + 0.5 * $0) }
      }
    }
    report.seconds = (ContinuousClock.now - start).seconds
    progress(1)
    return (report, report.scores.faces.isEmpty ? [] : judged.judgedCrops)
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
