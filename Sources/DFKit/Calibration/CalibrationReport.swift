import Classifiers
import DeepfakeCore
import Foundation
import Training

/// A calibration, what it was fitted on, and how good probabilities were before and are after it:
/// together, and on each source.
package struct CalibrationReport: Sendable {
  /// The figures that are reported, in the table's order.
  package static let metrics: [Metric] = [.logLoss, .brier, .calibrationError, .accuracy, .auc]

  /// Figures of the same judgements: as they were, and by calibrations.
  package struct Figures: Sendable {
    /// How many are real.
    package var real: Int
    /// How many are fake.
    package var fake: Int
    /// As weights' files and recipe had them.
    package var before: MetricFigures
    /// As calibrated.
    package var after: MetricFigures
    /// As calibrated by what the other four fifths of the groups give: what other footage of the
    /// kind can expect. Nil with less than ten groups.
    package var crossFitted: MetricFigures?
  }

  /// Judgements of one kind: of frames, or of videos.
  package struct Level: Sendable {
    /// How good they are before and after.
    package var figures: Figures
    /// The judgements before, for diagrams.
    package var judgementsBefore: [Judgement]
    /// Those after.
    package var judgements: [Judgement]
    /// How many are real.
    package var real: Int { figures.real }
    /// How many are fake.
    package var fake: Int { figures.fake }
    /// The figures as weights' files and recipe had them.
    package var before: MetricFigures { figures.before }
    /// The figures as calibrated.
    package var after: MetricFigures { figures.after }
    /// The figures as calibrated by what the other groups give.
    package var crossFitted: MetricFigures? { figures.crossFitted }
  }

  /// One network of the recipe, or the only one, with its own calibration.
  package struct Member: Sendable {
    package var name: String
    /// What was fitted to its logits; what changes nothing where it was to keep its own.
    package var calibration: LogitCalibration
    /// Its judgements of faces one by one; nil where it was to keep its own calibration.
    package var frames: Level?
  }

  /// The videos of one source.
  package struct Source: Sendable {
    /// The collection's name; empty where samples do not say.
    package var name: String
    /// The figures of its videos; real and fake ones count as half each.
    package var videos: Figures
    /// What the range leaves to answer; nil where there is no range to be had.
    package var answers: AbstainBand.Answers?
    /// The same where calibration and range are those of the other four fifths of the groups.
    package var crossFittedAnswers: AbstainBand.Answers?

    /// Whether it has real and fake videos.
    package var hasBoth: Bool { videos.real > 0 && videos.fake > 0 }
  }

  /// The network's weights, or the recipe's name.
  package let title: String
  /// Whether it is of a whole recipe.
  package let isOfRecipe: Bool
  /// The network, where there is one only.
  package internal(set) var settings: ClassifierSettings?
  /// The hash of the manifests.
  package internal(set) var dataDigest = ""
  /// Which samples were judged, in words.
  package internal(set) var part = ""
  package let faces: [ScoredFace]
  /// Groups that intervals are drawn from.
  package let groups: Int
  /// Whether scale and offset were fitted, or the scale alone.
  package let method: CalibrationFit.Method
  /// The recipe's networks in order, or the only one.
  package let members: [Member]
  /// For the recipe: of a video's aggregated probability; nil where none can be had.
  package let videoCalibration: LogitCalibration?
  /// Videos: the aggregated probabilities of their faces.
  package let videos: Level
  /// The videos source by source.
  package let sources: [Source]
  /// What accuracy was asked for outside of the range to leave undecided.
  package let accuracy: Double
  /// That range, chosen so that every source with both labels has the accuracy; nil where no range
  /// gives it.
  package let band: AbstainBand?
  /// What there is to know beside that.
  package let notes: [String]

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
  package var calibration: LogitCalibration { members[0].calibration }

  /// The source with both labels whose calibration error is largest, by others' fit where there is
  /// one; nil where no source has both labels.
  package var worstCalibrated: Source? {
    sources.filter(\.hasBoth).max {
      $0.videos.best(.calibrationError) < $1.videos.best(.calibrationError)
    }
  }

  /// Every face's logits as CSV: `path,label,video,group`, then `logit`, or a column for each of
  /// several networks.
  package var scores: String { faces.csv(members.map(\.name)) }
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
