import Classifiers
import DeepfakeCore
import Foundation
import Training

/// A calibration, what it was fitted on, and how good probabilities were before and are after it:
/// together, and on each source.
public struct CalibrationReport: Sendable {
  /// The figures that are reported, in the table's order.
  public static let metrics: [Metric] = [.logLoss, .brier, .calibrationError, .accuracy, .auc]

  /// Figures of the same judgements: as they were, and by calibrations.
  public struct Figures: Sendable {
    /// How many are real.
    public var real: Int
    /// How many are fake.
    public var fake: Int
    /// As weights' files and recipe had them.
    public var before: MetricFigures
    /// As calibrated.
    public var after: MetricFigures
    /// As calibrated by what the other four fifths of the groups give: what other footage of the kind can
    /// expect. Nil with less than ten groups.
    public var crossFitted: MetricFigures?
  }

  /// Judgements of one kind: of frames, or of videos.
  public struct Level: Sendable {
    /// How good they are before and after.
    public var figures: Figures
    /// The judgements before, for diagrams.
    public var judgementsBefore: [Judgement]
    /// Those after.
    public var judgements: [Judgement]
    /// How many are real.
    public var real: Int { figures.real }
    /// How many are fake.
    public var fake: Int { figures.fake }
    /// The figures as weights' files and recipe had them.
    public var before: MetricFigures { figures.before }
    /// The figures as calibrated.
    public var after: MetricFigures { figures.after }
    /// The figures as calibrated by what the other groups give.
    public var crossFitted: MetricFigures? { figures.crossFitted }
  }

  /// One network of the recipe, or the only one, with its own calibration.
  public struct Member: Sendable {
    /// Its name.
    public var name: String
    /// What was fitted to its logits; what changes nothing where it was to keep its own.
    public var calibration: LogitCalibration
    /// Its judgements of faces one by one; nil where it was to keep its own calibration.
    public var frames: Level?
  }

  /// The videos of one source.
  public struct Source: Sendable {
    /// The collection's name; empty where samples do not say.
    public var name: String
    /// The figures of its videos; real and fake ones count as half each.
    public var videos: Figures
    /// What the range leaves to answer; nil where there is no range to be had.
    public var answers: AbstainBand.Answers?
    /// The same where calibration and range are those of the other four fifths of the groups.
    public var crossFittedAnswers: AbstainBand.Answers?

    /// Whether it has real and fake videos.
    public var hasBoth: Bool { videos.real > 0 && videos.fake > 0 }
  }

  /// The network's weights, or the recipe's name.
  public let title: String
  /// Whether it is of a whole recipe.
  public let isOfRecipe: Bool
  /// The network, where there is one only.
  public internal(set) var settings: ClassifierSettings?
  /// The hash of the manifests.
  public internal(set) var dataDigest = ""
  /// Which samples were judged, in words.
  public internal(set) var part = ""
  /// The faces.
  public let faces: [ScoredFace]
  /// Groups that intervals are drawn from.
  public let groups: Int
  /// Whether scale and offset were fitted, or the scale alone.
  public let method: CalibrationFit.Method
  /// The recipe's networks in order, or the only one.
  public let members: [Member]
  /// For the recipe: of a video's aggregated probability; nil where none can be had.
  public let videoCalibration: LogitCalibration?
  /// Videos: the aggregated probabilities of their faces.
  public let videos: Level
  /// The videos source by source.
  public let sources: [Source]
  /// What accuracy was asked for outside of the range to leave undecided.
  public let accuracy: Double
  /// That range, chosen so that every source with both labels has the accuracy; nil where no range
  /// gives it.
  public let band: AbstainBand?
  /// What there is to know beside that.
  public let notes: [String]

  /// Fits and measures.
  ///
  /// - Parameter before: the calibration that one network's file had.
  /// - Throws: `CalibrationError`.
  package init(
    _ faces: [ScoredFace], _ job: CalibrationJob, before: LogitCalibration?
  ) throws(CalibrationError) {
    let units = CalibrationUnits(faces)
    let pair = try CalibrationPair(faces, units, job)
    let raw = job.names.map { _ in before ?? .identity }
    let facesBefore = faces.map { $0.probabilities(raw) }
    let facesAfter = pair.faceProbabilities(faces)
    let crossFit = CrossFit(faces, units, job)
    members = job.names.enumerated().map { member, name in
      Member(
        name: name, calibration: pair.members[member],
        frames: !job.fitsMembers
          ? nil
          : Level(
            units.weighedFaces, before: facesBefore.map { $0[member] },
            after: facesAfter.map { $0[member] },
            crossFitted: crossFit?.faces.map { $0[member] }, job.bootstrap))
    }
    let videosBefore = units.aggregated(facesBefore, job.names, job.combination)
    let videosAfter = pair.videoProbabilities(faces, units)
    videos = Level(
      units.weighed, before: videosBefore, after: videosAfter, crossFitted: crossFit?.videos,
      job.bootstrap)
    let judged = units.weighed.bySource(videosAfter)
    band = AbstainBand.smallest(judged.map(\.judgements), accuracy: job.accuracy)
    sources = units.weighed.places.enumerated().map { [band] source, places in
      let own = units.weighed.subset(places)
      func figures(_ probabilities: [Float]) -> [Float] { places.map { probabilities[$0] } }
      return Source(
        name: units.sourceNames[source],
        videos: Figures(
          own, before: figures(videosBefore), after: figures(videosAfter),
          crossFitted: crossFit.map { figures($0.videos) }, job.bootstrap),
        answers: band.map {
          AbstainBand.answers(own.judgements(figures(videosAfter)), outside: $0.range)
        },
        crossFittedAnswers: crossFit.map { fit in
          AbstainBand.answers(
            own.judgements(figures(fit.videos)), places.map { fit.isAnswered[$0] })
        })
    }
    title = job.title
    if case .recipe = job.subject { isOfRecipe = true } else { isOfRecipe = false }
    accuracy = job.accuracy
    groups = units.clusterCount
    method = job.method
    self.faces = faces
    videoCalibration = pair.videos
    notes = pair.notes
  }

  /// For the weights' file of the first network: of a face's logit.
  public var calibration: LogitCalibration { members[0].calibration }

  /// The source with both labels whose calibration error is largest, by others' fit where there is
  /// one; nil where no source has both labels.
  public var worstCalibrated: Source? {
    sources.filter(\.hasBoth).max {
      $0.videos.best(.calibrationError) < $1.videos.best(.calibrationError)
    }
  }

  /// Every face's logits as CSV: `path,label,video,group`, then `logit`, or a column for each of
  /// several networks.
  public var scores: String { faces.csv(members.map(\.name)) }
}

extension CalibrationReport.Figures {
  fileprivate init(
    _ judged: WeighedJudgements, before: [Float], after: [Float], crossFitted: [Float]?,
    _ bootstrap: GroupBootstrap
  ) {
    self.init(
      real: judged.count(.real), fake: judged.count(.fake),
      before: judged.figures(before, bootstrap), after: judged.figures(after, bootstrap),
      crossFitted: crossFitted.map { judged.figures($0, bootstrap) })
  }

  /// A figure by others' fit, or where there is none, as calibrated.
  func best(_ metric: Metric) -> Double { (crossFitted ?? after)[metric].value }
}

extension CalibrationReport.Level {
  fileprivate init(
    _ judged: WeighedJudgements, before: [Float], after: [Float], crossFitted: [Float]?,
    _ bootstrap: GroupBootstrap
  ) {
    self.init(
      figures: .init(judged, before: before, after: after, crossFitted: crossFitted, bootstrap),
      judgementsBefore: judged.judgements(before), judgements: judged.judgements(after))
  }
}
