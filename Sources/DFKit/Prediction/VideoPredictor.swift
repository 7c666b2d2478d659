import Classifiers
import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO

/// Makes verdicts on videos and images. It detects faces in evenly spread frames, cuts them out of
/// the full-resolution frames, groups them by person, and scores them with an ensemble.
///
/// Frames are processed a few at a time and only crops are kept, so memory does not grow with the
/// length of the video.
///
/// ```swift
/// let predictor = try VideoPredictor(recipe: Recipe.named("default"))
/// let report = try predictor.predict(clip)
/// print(report.verdict.answer, report.verdict.probability ?? .nan)
/// ```
public struct VideoPredictor: Sendable {
  /// The number of frames of a video that are used, evenly spread.
  public var frames: Int
  /// Which of a frame's faces are scored.
  public var faces: Recipe.Faces
  /// How faces are cut out.
  public var crop: Recipe.Crop
  /// Detects the faces.
  public var detector: any FaceDetector
  /// The name of the detector's weights in reports; nil if the detector was made in code.
  public var detectorName: String?
  /// The networks that score the faces, one after another.
  public var members: [Ensemble.Member]
  /// Makes verdicts from the members' scores.
  package var maker: VerdictMaker
  /// The rule that combines people's probabilities into the file's; you can provide your own. Nil:
  /// all faces are scored as if they were one person's.
  public var rule: (any PeopleRule)? {
    get { maker.rule }
    set { maker.rule = newValue }
  }
  /// How crops are transformed before they are scored; unchanged by default.
  package var view = CropView.plain
  /// Changes each frame, and later frames for motion, before faces are searched. Its second
  /// argument is the frame's number in the order of decoding. Nil: frames are not changed.
  public var retouch: (@Sendable (Image, Int) -> Image)?
  /// Whether networks stay in memory between files. If false, each is loaded only while it scores.
  public var keepsNetworks = true

  /// A predictor with a detector and networks made in code.
  ///
  /// - Parameters:
  ///   - recipe: The frames, faces, crops and rules for verdicts. Its detector, members and
  ///     aggregation are not used; `detector` and `ensemble` replace them.
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
  /// - Parameter progress: Called with the finished fraction of the work, 0 to 1.
  /// - Throws: `MediaError` if the file is not a readable image or video, `CancellationError` in a
  ///   cancelled task, `ClassifierError` if members use differences to frames at different times,
  ///   and the errors of the detector and the ensemble's members.
  public func predict(
    _ file: URL, progress: (Double) -> Void = { _ in }
  ) throws -> VideoReport {
    try judge(file, progress: progress).report
  }

  /// The verdict on a file, with the crops that were scored.
  ///
  /// - Returns: The report, and one crop for each face in its `scores`.
  /// - Throws: The errors of `predict`.
  package func judge(
    _ file: URL, progress: (Double) -> Void = { _ in }
  ) throws -> (report: VideoReport, crops: [JudgedCrop]) {
    let start = ContinuousClock.now
    let difference = try members.difference()
    var search = FaceSearch(
      detector, name: detectorName, enough: max(maker.minFrames, maker.minFramesOfPerson))
    var judged = JudgedFaces(faces, crop, view)
    var report = VideoReport(file: file.relativePath, verdict: .undecided(.noFaces))
    report.warnings = try StageTimes.measure(.decode) {
      try MediaFrame.read(file, .spread(frames), withLaterBy: difference) { frame in
        var frame = frame
        if let retouch { frame.change(retouch) }
        try search.add(frame) { judged.add($0, $1) }
        progress(frame.place * 0.5)
      }
    }
    try search.finish { judged.add($0, $1) }
    report.frames = search.frames
    report.search = search.facts
    report.facesFound = judged.framesWithFaces
    if maker.rule != nil, judged.maximumNotChosen > 0 {
      report.warnings.append(
        "there are up to \(judged.maximumNotChosen + faces.perFrame) faces in a frame, of which"
          + " \(faces.perFrame) are judged (faces.perFrame)"
      )
    }
    if difference != nil {
      report.warnings += MotionCrop.warnings(without: judged.withoutLater, of: judged.faces.count)
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
