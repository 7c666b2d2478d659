import Classifiers
import DeepfakeCore
import Training

/// Which faces are judged as one, and which of these hang together.
struct CalibrationUnits {
  /// Each face's unit: a video, of one label.
  private(set) var ofFace: [Int] = []
  /// Each unit's label.
  private(set) var labels: [FaceLabel] = []
  /// Each unit's group.
  private(set) var clusters: [Int] = []
  private var faces: [[Int]] = []

  /// The number of groups.
  var clusterCount: Int { (clusters.max() ?? -1) + 1 }

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

  /// The units' probabilities out of their faces'.
  func aggregated(_ probabilities: [Float], _ aggregator: any Aggregator) -> [Float] {
    faces.map { aggregator.aggregate($0.map { probabilities[$0] }) }
  }
}

/// The calibration of faces, and that of videos on top of it.
struct CalibrationPair {
  /// Of a face's logit.
  let faces: LogitCalibration
  /// Of a video's log odds; nil where none can be had.
  private(set) var videos: LogitCalibration?
  /// What was odd.
  private(set) var notes: [String] = []

  /// Fits both.
  ///
  /// - Throws: `CalibrationError` where the faces have no calibration.
  init(
    _ all: [ScoredFace], _ units: CalibrationUnits, _ job: CalibrationJob
  ) throws(CalibrationError) {
    let weights = GroupWeights(groups: units.ofFace, labels: all.map(\.label)).weights
    let samples = zip(all, weights).map {
      CalibrationFit.Sample(Double($0.logit), $0.label, weight: $1)
    }
    faces = try Self.fit(samples, job, "faces", &notes)
    let probabilities = units.aggregated(
      all.map { [faces] in faces.probability(logit: $0.logit) }, job.aggregator)
    let shares = GroupWeights(groups: Array(units.labels.indices), labels: units.labels).weights
    let judged = probabilities.indices.map {
      CalibrationFit.Sample(
        LogitCalibration.logOdds(Double(probabilities[$0])), units.labels[$0], weight: shares[$0])
    }
    do {
      videos = try Self.fit(judged, job, "videos", &notes)
    } catch {
      notes.append("no calibration of videos: \(error)")
    }
  }

  /// A video's probability out of what its calibrated faces' became together.
  func video(_ probability: Float, clip: ClosedRange<Float>?) -> Float {
    let value = videos?.probability(of: probability) ?? probability
    return clip.map { min(max(value, $0.lowerBound), $0.upperBound) } ?? value
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

/// Probabilities of faces and videos, each by a calibration that was fitted to other groups.
struct CrossFit {
  /// Of each face.
  private(set) var faces: [Float]
  /// Of each video.
  private(set) var videos: [Float]

  /// The groups in `folds` parts, each judged by what the others gave; nil where these give nothing.
  init?(
    _ all: [ScoredFace], _ units: CalibrationUnits, _ job: CalibrationJob, folds: Int = 5
  ) {
    guard units.clusterCount >= 2 * folds else { return nil }
    faces = Array(repeating: .nan, count: all.count)
    videos = Array(repeating: .nan, count: units.labels.count)
    var generator = SeededGenerator(seed: job.bootstrap.seed, label: "cross-fitting")
    let order = Array(0..<units.clusterCount).shuffled(using: &generator)
    var foldOf = order
    for (place, cluster) in order.enumerated() { foldOf[cluster] = place % folds }
    let foldOfFace = units.ofFace.map { foldOf[units.clusters[$0]] }
    for fold in 0..<folds {
      let others = all.indices.filter { foldOfFace[$0] != fold }.map { all[$0] }
      guard let pair = try? CalibrationPair(others, CalibrationUnits(others), job) else {
        return nil
      }
      let probabilities = all.map { pair.faces.probability(logit: $0.logit) }
      for index in all.indices where foldOfFace[index] == fold {
        faces[index] = probabilities[index]
      }
      let together = units.aggregated(probabilities, job.aggregator)
      for unit in videos.indices where foldOf[units.clusters[unit]] == fold {
        videos[unit] = pair.video(together[unit], clip: job.clip)
      }
    }
  }
}
