import Classifiers
import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO

/// From a video or an image to a verdict: looks at evenly spread frames, finds faces, cuts them out of
/// the full-resolution frames, joins them into people, and lets an ensemble judge them.
///
/// Frames are looked at a few at a time and only the crops are kept, so memory does not grow with the
/// video.
public struct VideoPredictor: Sendable {
  /// Which frames, faces, crops and people, and what a probability is called. Its detector, members and aggregation are not used here:
  /// those are `detector` and `ensemble`.
  public var recipe: Recipe
  /// Finds the faces.
  public var detector: any FaceDetector
  /// What reports call the detector's weights; nil where it was made in code.
  public var detectorName: String?
  /// Judges them.
  public var ensemble: Ensemble
  /// Makes the verdict out of the people's, a rule of one's own; nil for the recipe's.
  public var rule: (any PeopleRule)?
  /// How the networks see the crops; as they were cut unless told otherwise.
  public var view = CropView.plain
  /// What happens to a frame, whose place in decoded order is given, before anything looks at it; nil for nothing.
  public var retouch: (@Sendable (Image, Int) -> Image)?
  /// Whether networks stay in memory from file to file; otherwise each is there only while it judges.
  public var keepsNetworks = true

  /// A predictor.
  public init(recipe: Recipe, detector: any FaceDetector, ensemble: Ensemble) {
    self.recipe = recipe
    self.detector = detector
    self.ensemble = ensemble
  }

  /// The rule over people; nil where all faces are judged together.
  private var peopleRule: (any PeopleRule)? { rule ?? recipe.people.verdict.rule }

  /// The verdict on a file.
  ///
  /// - Parameter progress: called with the part of the work that is done, 0 to 1.
  /// - Throws: `MediaError` where the file is neither an image nor a video that can be read,
  ///   `CancellationError` in a cancelled task, and what the detector and the ensemble's members throw.
  public func predict(
    _ file: URL, progress: (Double) -> Void = { _ in }
  ) throws -> VideoReport {
    try judge(file, progress: progress).report
  }

  /// The verdict on a file, and the crops that it was made of.
  ///
  /// - Returns: the report, and one crop for each of its `frameScores`.
  /// - Throws: as `predict`.
  public func judge(
    _ file: URL, progress: (Double) -> Void = { _ in }
  ) throws -> (report: VideoReport, crops: [JudgedCrop]) {
    let start = ContinuousClock.now
    var search = FaceSearch(
      detector, name: detectorName,
      enough: max(recipe.faces.minFrames, recipe.people.minFrames))
    var judged = JudgedFaces(recipe, view)
    var report = VideoReport(file: file.relativePath, verdict: .undecided(.noFaces))
    report.warnings = try StageTimes.measure(.decode) {
      try MediaFrame.read(file, .spread(recipe.frames)) { frame in
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
    if peopleRule != nil, judged.mostLeftOut > 0 {
      report.warnings.append(
        "there are up to \(judged.mostLeftOut + recipe.faces.perFrame) faces in a frame, of which"
          + " \(recipe.faces.perFrame) are judged (faces.perFrame)"
      )
    }
    let candidates = Candidate.all(search.tracks(), judged.faces)
    try decide(candidates, judged, into: &report, progress: progress)
    report.seconds = (ContinuousClock.now - start).seconds
    progress(1)
    return (report, report.frameScores.isEmpty ? [] : judged.judgedCrops(of: candidates))
  }

  private func decide(
    _ candidates: [Candidate], _ judged: JudgedFaces, into report: inout VideoReport,
    progress: (Double) -> Void
  ) throws {
    let maker = VerdictMaker(recipe, ensemble.combination, rule: rule)
    report.people = candidates.map { VideoReport.Person($0) }
    guard maker.obstacle(report) == nil else { return maker.decide(&report) }
    let scores = try StageTimes.measure(.classify) {
      try FileScores(
        ensemble, crops: judged.crops, sides: judged.faces.map(\.side),
        people: candidates.map(\.places), pooling: maker.rule == nil, unloading: !keepsNetworks
      ) { done in
        progress(0.5 + 0.5 * Double(done) / Double(ensemble.members.count))
      }
    }
    report.limits = scores.measures.map { .init(name: $0.name, limits: $0.limits) }
    report.frameScores = frameScores(scores, candidates, judged.faces)
    maker.decide(&report, together: maker.rule == nil ? scores.together : nil)
  }

  /// The judged faces in their order, each with its person.
  private func frameScores(
    _ scores: FileScores, _ candidates: [Candidate], _ faces: [JudgedFaces.Face]
  ) -> [VideoReport.FrameScore] {
    var found = [VideoReport.FrameScore?](repeating: nil, count: faces.count)
    for (index, candidate) in candidates.enumerated() {
      for (crop, place) in candidate.places.enumerated() {
        found[place] = VideoReport.FrameScore(
          time: faces[place].time, person: candidate.track.id, box: faces[place].box,
          scores: zip(ensemble.members, scores.people[index].at(crop)).map {
            .init(name: $0.name, probability: $1)
          })
        found[place]?.measures = scores.measures.map {
          .init(name: $0.name, measures: $0.faces[place])
        }
      }
    }
    return found.compactMap { $0 }
  }
}

extension VideoReport.Person {
  /// A person, not judged yet.
  fileprivate init(_ candidate: Candidate) {
    let sightings = candidate.track.sightings
    let surest = candidate.track.surest
    self.init(
      id: candidate.track.id, verdict: .undecided(.noFaces), framesSeen: sightings.count,
      framesJudged: candidate.places.count, firstTime: sightings.first?.time ?? 0,
      lastTime: sightings.last?.time ?? 0,
      surest: Sample(
        time: surest.time, box: surest.face.box, score: surest.face.score))
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
