import Classifiers
import DeepfakeCore
import Measures

/// Sorts faces into units (videos), and units into groups and sources.
struct CalibrationUnits {
  /// The unit of each face: a video with one label and one source.
  private(set) var ofFace: [Int] = []
  /// The label of each unit.
  private(set) var labels: [FaceLabel] = []
  /// The group of each unit, from 0.
  private(set) var clusters: [Int] = []
  /// The source of each unit, from 0.
  private(set) var sources: [Int] = []
  private var sourceNumbers = NameNumbers()
  private var faces: [[Int]] = []

  /// The names of the sources. The name is empty for samples without an origin.
  var sourceNames: [String] { sourceNumbers.names }

  /// The number of groups.
  var clusterCount: Int { (clusters.max() ?? -1) + 1 }

  init(_ all: [ScoredFace]) {
    var (units, groups) = (NameNumbers(), NameNumbers())
    for (index, face) in all.enumerated() {
      let source = face.source ?? ""
      // A real and a fake video of the same name are two units.
      let unit = units.number(of: "\(face.label.rawValue)\(source)\n\(face.video)")
      if unit == labels.count {
        labels.append(face.label)
        clusters.append(groups.number(of: face.group))
        sources.append(sourceNumbers.number(of: source))
        faces.append([])
      }
      ofFace.append(unit)
      faces[unit].append(index)
    }
  }

  /// The probability of each unit, combined from the probabilities of its faces by all members.
  func aggregated(
    _ probabilities: [[Float]], _ members: [String], _ combination: ScoreCombination
  ) -> [Float] {
    faces.map { faces in
      combination([MemberScores](faces.map { probabilities[$0] }, members: members)).probability
    }
  }

  /// The units, with their weights and groups for the bootstrap.
  var weighed: WeighedJudgements {
    WeighedJudgements(
      labels: labels, groups: Array(labels.indices), clusters: clusters, sources: sources)
  }

  /// The faces, with their weights and groups for the bootstrap.
  var weighedFaces: WeighedJudgements {
    WeighedJudgements(
      labels: ofFace.map { labels[$0] }, groups: ofFace, clusters: ofFace.map { clusters[$0] },
      sources: ofFace.map { sources[$0] })
  }
}

/// The calibrations of the networks, and the calibration of videos that is applied after them.
struct CalibrationPair {
  /// The calibration of each network's logits; the identity if the networks keep their own.
  private(set) var members: [LogitCalibration] = []
  /// The calibration of the log odds of a video; nil if it could not be fitted.
  private(set) var videos: LogitCalibration?
  /// Remarks about the fit, such as smoothed targets.
  private(set) var notes: [String] = []
  private let names: [String]
  private let combination: ScoreCombination

  /// Fits all calibrations.
  ///
  /// - Throws: `CalibrationError` if a network cannot be calibrated, or if videos cannot be
  ///   calibrated and the networks keep their own calibrations.
  init(
    _ all: [ScoredFace], _ units: CalibrationUnits, _ job: CalibrationJob
  ) throws(CalibrationError) {
    names = job.names
    combination = ScoreCombination(
      frames: job.combination.frames, models: job.combination.models, clip: job.combination.clip)
    let faceWeights = units.weighedFaces.weights()
    for (member, name) in job.names.enumerated() {
      guard job.fitsMembers else {
        members.append(.identity)
        continue
      }
      let samples = zip(all, faceWeights).map {
        CalibrationFit.Sample(Double($0.logits[member]), $0.label, weight: $1)
      }
      let what = job.names.count == 1 ? "faces" : "faces by \(name)"
      members.append(try Self.fit(samples, job, what, &notes))
    }
    var bare = combination
    bare.clip = nil
    let together = units.aggregated(faceProbabilities(all), names, bare)
    let judged = zip(zip(together, units.labels), units.weighed.weights()).map {
      CalibrationFit.Sample(LogitCalibration.logOdds(Double($0.0)), $0.1, weight: $1)
    }
    do {
      videos = try Self.fit(judged, job, "videos", &notes)
    } catch {
      guard job.fitsMembers else { throw error }
      notes.append("the scores of videos are not calibrated: \(error)")
    }
  }

  /// The calibrated probabilities of each face, one for each network.
  func faceProbabilities(_ all: [ScoredFace]) -> [[Float]] {
    all.map { $0.probabilities(members) }
  }

  /// The calibrated probability of each video.
  func videoProbabilities(_ all: [ScoredFace], _ units: CalibrationUnits) -> [Float] {
    var combination = combination
    combination.calibration = videos
    return units.aggregated(faceProbabilities(all), names, combination)
  }

  /// Fits a calibration. If the job does not say whether to smooth targets, they are smoothed if a
  /// threshold separates the samples without error.
  private static func fit(
    _ samples: [CalibrationFit.Sample], _ job: CalibrationJob, _ what: String,
    _ notes: inout [String]
  ) throws(CalibrationError) -> LogitCalibration {
    if let smooths = job.smoothsTargets {
      return try CalibrationFit(job.method, smoothsTargets: smooths).calibration(of: samples)
    }
    let (calibration, isSmoothed) = try CalibrationFit.smoothingIfNeeded(samples, job.method)
    if isSmoothed {
      notes.append(
        "the real and fake \(what) are separated without any error; the targets were smoothed,"
          + " because the best scale would otherwise be infinite"
      )
    }
    return calibration
  }
}

/// Cross-validated probabilities of faces and videos: each calibration is fitted to other groups.
/// Also which videos are decided, by an undecided range that was chosen on those groups.
struct CrossFit {
  /// The probabilities of each face, one for each network.
  private(set) var faces: [[Float]]
  /// The probability of each video.
  private(set) var videos: [Float]
  /// Whether each video is decided: its probability is outside the undecided range.
  private(set) var isAnswered: [Bool]

  /// Splits the groups into five folds and calibrates each fold by a fit to the other four. Nil
  /// with fewer than ten groups, or if a fit fails.
  init?(_ all: [ScoredFace], _ units: CalibrationUnits, _ job: CalibrationJob) {
    guard let folds = CrossFolds(groups: units.clusterCount, seed: job.bootstrap.seed) else {
      return nil
    }
    faces = all.map { _ in [] }
    videos = Array(repeating: .nan, count: units.labels.count)
    isAnswered = Array(repeating: false, count: units.labels.count)
    let foldOfUnit = units.clusters.map { folds.ofGroup[$0] }
    for fold in 0..<folds.count {
      let others = all.indices.filter { foldOfUnit[units.ofFace[$0]] != fold }.map { all[$0] }
      let otherUnits = CalibrationUnits(others)
      guard let pair = try? CalibrationPair(others, otherUnits, job) else { return nil }
      for index in all.indices where foldOfUnit[units.ofFace[index]] == fold {
        faces[index] = all[index].probabilities(pair.members)
      }
      let chosenOn = pair.videoProbabilities(others, otherUnits)
      let band = AbstainBand.smallest(
        otherUnits.weighed.bySource(chosenOn).map(\.judgements), accuracy: job.accuracy)
      let together = pair.videoProbabilities(all, units)
      for unit in videos.indices where foldOfUnit[unit] == fold {
        videos[unit] = together[unit]
        isAnswered[unit] = band.map { $0.range?.contains(Double(together[unit])) != true } ?? false
      }
    }
  }
}
