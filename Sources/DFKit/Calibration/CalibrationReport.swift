import Classifiers
import DeepfakeCore
import Foundation
import Training

/// A calibration, what it was fitted on, and how good probabilities were before and are after it.
public struct CalibrationReport: Sendable {
  /// What is measured.
  public static let metrics: [Metric] = [.logLoss, .brier, .calibrationError, .accuracy, .auc]

  /// Judgements of one kind: of frames, or of videos.
  public struct Level: Sendable {
    /// How many are real.
    public var real: Int
    /// How many are fake.
    public var fake: Int
    /// As the weights' file had them.
    public var before: MetricFigures
    /// As calibrated.
    public var after: MetricFigures
    /// As calibrated by what the other four fifths of the groups give: what other footage of the kind can
    /// expect. Nil with less than ten groups.
    public var crossFitted: MetricFigures?
    /// The judgements before, for diagrams.
    public var judgementsBefore: [Judgement]
    /// Those after.
    public var judgements: [Judgement]
  }

  /// Where the weights came from.
  public internal(set) var weights = ""
  /// The network.
  public internal(set) var settings: ClassifierSettings?
  /// The hash of the manifests.
  public internal(set) var dataDigest = ""
  /// Which samples were judged, in words.
  public internal(set) var part = ""
  /// The faces.
  public let faces: [ScoredFace]
  /// Groups that intervals are drawn from.
  public let groups: Int
  /// What was fitted.
  public let method: CalibrationFit.Method
  /// For the weights' file: of a face's logit.
  public let calibration: LogitCalibration
  /// For the recipe: of a video's aggregated probability; nil where none can be had.
  public let videoCalibration: LogitCalibration?
  /// Faces one by one.
  public let frames: Level
  /// Videos: the aggregated probabilities of their faces.
  public let videos: Level
  /// What accuracy was asked for outside of the range to leave undecided.
  public let accuracy: Double
  /// That range; nil where no range gives the accuracy.
  public let band: AbstainBand?
  /// What there is to know beside that.
  public let notes: [String]

  /// Fits and measures.
  ///
  /// - Throws: `CalibrationError`.
  package init(
    _ faces: [ScoredFace], _ job: CalibrationJob, before: LogitCalibration?
  ) throws(CalibrationError) {
    let units = CalibrationUnits(faces)
    let pair = try CalibrationPair(faces, units, job)
    let raw = before ?? .identity
    let facesBefore = faces.map { raw.probability(logit: $0.logit) }
    let facesAfter = faces.map { pair.faces.probability(logit: $0.logit) }
    let crossFit = CrossFit(faces, units, job)
    frames = Level(
      labels: faces.map(\.label), units: units.ofFace, in: units, before: facesBefore,
      after: facesAfter, crossFitted: crossFit?.faces, job.bootstrap)
    videos = Level(
      labels: units.labels, units: Array(units.labels.indices), in: units,
      before: units.aggregated(facesBefore, job.aggregator),
      after: units.aggregated(facesAfter, job.aggregator).map { pair.video($0, clip: job.clip) },
      crossFitted: crossFit?.videos, job.bootstrap)
    band = AbstainBand.narrowest(videos.judgements, accuracy: job.accuracy)
    accuracy = job.accuracy
    groups = units.clusterCount
    method = job.method
    self.faces = faces
    calibration = pair.faces
    videoCalibration = pair.videos
    notes = pair.notes
  }
}

extension CalibrationReport.Level {
  fileprivate init(
    labels: [FaceLabel], units: [Int], in all: CalibrationUnits, before: [Float],
    after: [Float], crossFitted: [Float]?, _ bootstrap: GroupBootstrap
  ) {
    func judgements(_ probabilities: [Float], _ times: [Double]?) -> [Judgement] {
      let weights = GroupWeights(
        groups: units, labels: labels, times: times.map { times in all.clusters.map { times[$0] } }
      ).weights
      return labels.indices.map {
        Judgement(Double(probabilities[$0]), labels[$0], weight: weights[$0])
      }
    }
    func figures(_ probabilities: [Float]) -> MetricFigures {
      MetricFigures(CalibrationReport.metrics, groups: all.clusterCount, bootstrap) {
        BinaryMetrics(judgements(probabilities, $0))
      }
    }
    self.init(
      real: labels.count { $0 == .real }, fake: labels.count { $0 == .fake },
      before: figures(before), after: figures(after), crossFitted: crossFitted.map(figures),
      judgementsBefore: judgements(before, nil), judgements: judgements(after, nil))
  }
}
