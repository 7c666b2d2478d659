import Classifiers
import DeepfakeCore
import Foundation
import Training

/// A calibration, what it was fitted on, and how good probabilities were before and are after it.
public struct CalibrationReport: Sendable {
  /// A figure with its 95 % interval, from whole groups drawn anew; nil where there is none.
  public struct Figure: Sendable, Equatable {
    /// The figure.
    public var value: Double
    /// Its interval.
    public var interval: ClosedRange<Double>?
  }

  /// How good probabilities are.
  public struct Figures: Sendable {
    /// The mean negative log likelihood.
    public var logLoss: Figure
    /// The mean squared distance from the truth.
    public var brier: Figure
    /// The expected calibration error, over 15 bins of equal width.
    public var calibrationError: Figure
    /// The part on the right side of one half.
    public var accuracy: Figure
    /// The area under the ROC curve.
    public var auc: Figure
  }

  /// Judgements of one kind: of frames, or of videos.
  public struct Level: Sendable {
    /// How many are real.
    public var real: Int
    /// How many are fake.
    public var fake: Int
    /// As the weights' file had them.
    public var before: Figures
    /// As calibrated.
    public var after: Figures
    /// The judgements before, for diagrams.
    public var judgementsBefore: [WeightedJudgement]
    /// Those after.
    public var judgements: [WeightedJudgement]
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
  init(
    _ faces: [ScoredFace], _ job: CalibrationJob, before: LogitCalibration?
  ) throws(CalibrationError) {
    let units = Units(faces)
    let raw = LogitCalibration(scale: 1)
    var notes: [String] = []
    let weights = GroupWeights(groups: units.ofFace, labels: faces.map(\.label)).weights
    let samples = zip(faces, weights).map {
      CalibrationFit.Sample(Double($0.logit), $0.label, weight: $1)
    }
    let calibration = try Self.fit(samples, job, "faces", &notes)
    func probabilities(_ calibration: LogitCalibration?) -> [Float] {
      faces.map { (calibration ?? raw)?.probability(logit: $0.logit) ?? .nan }
    }
    let (facesBefore, facesAfter) = (probabilities(before), probabilities(calibration))
    let videosBefore = units.aggregated(facesBefore, job.aggregator)
    let videosBetween = units.aggregated(facesAfter, job.aggregator)
    var videoCalibration: LogitCalibration?
    do {
      let share = GroupWeights(groups: Array(units.labels.indices), labels: units.labels).weights
      let samples = videosBetween.indices.map {
        CalibrationFit.Sample(
          LogitCalibration.logOdds(Double(videosBetween[$0])), units.labels[$0], weight: share[$0])
      }
      videoCalibration = try Self.fit(samples, job, "videos", &notes)
    } catch {
      notes.append("no calibration of videos: \(error)")
    }
    let videosAfter = videosBetween.map { probability in
      let value = videoCalibration?.probability(of: probability) ?? probability
      return job.clip.map { min(max(value, $0.lowerBound), $0.upperBound) } ?? value
    }
    frames = Level(
      labels: faces.map(\.label), units: units.ofFace, in: units, before: facesBefore,
      after: facesAfter, job.bootstrap)
    videos = Level(
      labels: units.labels, units: Array(units.labels.indices), in: units, before: videosBefore,
      after: videosAfter, job.bootstrap)
    band = AbstainBand.narrowest(videos.judgements, accuracy: job.accuracy)
    accuracy = job.accuracy
    groups = units.clusterCount
    method = job.method
    self.faces = faces
    self.calibration = calibration
    self.videoCalibration = videoCalibration
    self.notes = notes
  }

  /// The fit; where a threshold tells all samples apart and nothing was said of smoothing, with smoothing.
  private static func fit(
    _ samples: [CalibrationFit.Sample], _ job: CalibrationJob, _ what: String,
    _ notes: inout [String]
  ) throws(CalibrationError) -> LogitCalibration {
    do {
      return try CalibrationFit(job.method, smoothsTargets: job.smoothsTargets ?? false)
        .calibration(of: samples)
    } catch .separable where job.smoothsTargets == nil {
      notes.append(
        "the \(what) are told apart without an error; targets were smoothed, so that a calibration exists"
      )
      return try CalibrationFit(job.method, smoothsTargets: true).calibration(of: samples)
    }
  }
}

/// Which faces are judged as one, and which of these hang together.
private struct Units {
  /// Each face's unit: a video, of one label.
  var ofFace: [Int] = []
  /// Each unit's label.
  var labels: [FaceLabel] = []
  /// Each unit's group.
  var clusters: [Int] = []
  var clusterCount: Int { (clusters.max() ?? -1) + 1 }
  private var faces: [[Int]] = []

  init(_ all: [ScoredFace]) {
    var units: [String: Int] = [:]
    var groups: [String: Int] = [:]
    for (index, face) in all.enumerated() {
      // What a real video and a fake of one name are stay two.
      let name = "\(face.label.rawValue)\(face.video)"
      let unit = units[name] ?? labels.count
      if unit == labels.count {
        units[name] = unit
        labels.append(face.label)
        let group = groups[face.group] ?? groups.count
        groups[face.group] = group
        clusters.append(group)
        faces.append([])
      }
      ofFace.append(unit)
      faces[unit].append(index)
    }
  }

  func aggregated(_ scores: [Float], _ aggregator: any Aggregator) -> [Float] {
    faces.map { aggregator.aggregate($0.map { scores[$0] }) }
  }
}

extension CalibrationReport.Level {
  fileprivate init(
    labels: [FaceLabel], units: [Int], in all: Units, before: [Float], after: [Float],
    _ bootstrap: GroupBootstrap
  ) {
    func judgements(_ probabilities: [Float], _ times: [Double]?) -> [WeightedJudgement] {
      let weights = GroupWeights(
        groups: units, labels: labels, times: times.map { times in all.clusters.map { times[$0] } }
      ).weights
      return labels.indices.map {
        WeightedJudgement(Double(probabilities[$0]), labels[$0], weight: weights[$0])
      }
    }
    func figures(_ probabilities: [Float]) -> CalibrationReport.Figures {
      let values = ProbabilityScores(judgements(probabilities, nil)).all
      let intervals = bootstrap.intervals(groups: all.clusterCount) { times in
        ProbabilityScores(judgements(probabilities, times)).all
      }
      let figures = zip(values, intervals).map { CalibrationReport.Figure(value: $0, interval: $1) }
      return CalibrationReport.Figures(
        logLoss: figures[0], brier: figures[1], calibrationError: figures[2],
        accuracy: figures[3], auc: figures[4])
    }
    self.init(
      real: labels.count { $0 == .real }, fake: labels.count { $0 == .fake },
      before: figures(before), after: figures(after), judgementsBefore: judgements(before, nil),
      judgements: judgements(after, nil))
  }
}

extension ProbabilityScores {
  fileprivate var all: [Double] { [logLoss, brier, calibrationError, accuracy, auc] }
}
