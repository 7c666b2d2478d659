import Classifiers
import DeepfakeCore
import Foundation
import Measures

/// A calibration, the data it was fitted to, and the figures of probabilities before and after it,
/// in total and for each source.
package struct CalibrationReport: Sendable {
  /// The figures that are reported, in the order of the table.
  package static let metrics: [Metric] = [.logLoss, .brier, .calibrationError, .accuracy, .auc]

  /// The figures of the same judgements before and after calibration.
  package struct Figures: Sendable {
    /// The number of real judgements.
    package var real: Int
    /// The number of fake judgements.
    package var fake: Int
    /// Before: with the calibrations that the weights files and the recipe had.
    package var before: MetricFigures
    /// After: with the new calibration.
    package var after: MetricFigures
    /// Cross-validated: each fold is calibrated by a fit to the other four fifths of the groups.
    /// This is what to expect on new footage of the same kind. Nil with fewer than ten groups or
    /// if a fit fails.
    package var crossFitted: MetricFigures?
  }

  /// The judgements of one level, faces or videos, with their figures.
  package struct Level: Sendable {
    /// The figures before and after calibration.
    package var figures: Figures
    /// The judgements before calibration, for diagrams.
    package var judgementsBefore: [Judgement]
    /// The judgements after calibration, for diagrams.
    package var judgements: [Judgement]
    /// The number of real judgements.
    package var real: Int { figures.real }
    /// The number of fake judgements.
    package var fake: Int { figures.fake }
    /// The figures before calibration.
    package var before: MetricFigures { figures.before }
    /// The figures after calibration.
    package var after: MetricFigures { figures.after }
    /// The cross-validated figures; nil with fewer than ten groups.
    package var crossFitted: MetricFigures? { figures.crossFitted }
  }

  /// One network and its own calibration.
  package struct Member: Sendable {
    package var name: String
    /// The calibration fitted to its logits; the identity if it keeps its own.
    package var calibration: LogitCalibration
    /// Its judgements of single faces; nil if it keeps its own calibration.
    package var frames: Level?
  }

  /// The figures of the videos of one source.
  package struct Source: Sendable {
    /// The collection's name; empty if the samples have no origin.
    package var name: String
    /// The figures of its videos. Real and fake videos weigh one half each.
    package var videos: Figures
    /// The coverage and accuracy outside the undecided range; nil if no range was found.
    package var answers: AbstainBand.Answers?
    /// The same with calibration and range fitted to the other four fifths of the groups; nil with
    /// fewer than ten groups.
    package var crossFittedAnswers: AbstainBand.Answers?

    /// Whether the source has both real and fake videos.
    package var hasBoth: Bool { videos.real > 0 && videos.fake > 0 }
  }

  /// The name of the network's weights or of the recipe.
  package let title: String
  /// Whether a whole recipe was calibrated.
  package let isOfRecipe: Bool
  /// The network's settings; nil for a recipe.
  package internal(set) var settings: ClassifierSettings?
  /// The hash of the manifests.
  package internal(set) var dataDigest = ""
  /// Which samples were used, in words.
  package internal(set) var part = ""
  package let faces: [ScoredFace]
  /// The number of groups that the bootstrap draws from.
  package let groups: Int
  /// Whether scale and offset were fitted, or the scale alone.
  package let method: CalibrationFit.Method
  /// The networks in the order of the recipe, or the single network.
  package let members: [Member]
  /// For the recipe: the calibration of a video's combined probability; nil if it could not be
  /// fitted.
  package let videoCalibration: LogitCalibration?
  /// The judgements of videos by the combined probabilities of their faces.
  package let videos: Level
  /// The figures of each source.
  package let sources: [Source]
  /// The accuracy that was required outside the undecided range.
  package let accuracy: Double
  /// The undecided range, chosen so that every source with both labels reaches the accuracy. Nil if
  /// no range does.
  package let band: AbstainBand?
  /// Remarks about the fit.
  package let notes: [String]

  /// Fits the calibrations and computes all figures.
  ///
  /// - Parameter before: The calibration in the weights file of a single network.
  /// - Throws: `CalibrationError` if no calibration can be fitted.
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

  /// The calibration of a face's logit that is written to the weights file of the first network.
  package var calibration: LogitCalibration { members[0].calibration }

  /// The source with both labels that has the largest calibration error, cross-validated if
  /// possible. Nil if no source has both labels.
  package var worstCalibrated: Source? {
    sources.filter(\.hasBoth).max {
      $0.videos.best(.calibrationError) < $1.videos.best(.calibrationError)
    }
  }

  /// The logits of every face as CSV: `path,label,video,group`, then `logit` for a single network,
  /// or a column for each network.
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

  /// The cross-validated value of a metric, or the calibrated one if there was no cross-validation.
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
