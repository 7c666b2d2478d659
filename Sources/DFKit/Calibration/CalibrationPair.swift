import Classifiers
import DeepfakeCore
import Training

/// Which faces are judged as one, which of these hang together, and where they are from.
struct CalibrationUnits {
  /// Each face's unit: a video, of one label and source.
  private(set) var ofFace: [Int] = []
  /// Each unit's label.
  private(set) var labels: [FaceLabel] = []
  /// Each unit's group.
  private(set) var clusters: [Int] = []
  /// Each unit's source.
  private(set) var sources: [Int] = []
  private var sourceNumbers = NameNumbers()
  private var faces: [[Int]] = []

  /// The sources' names; of samples without an origin, empty.
  var sourceNames: [String] { sourceNumbers.names }

  /// The number of groups.
  var clusterCount: Int { (clusters.max() ?? -1) + 1 }

  init(_ all: [ScoredFace]) {
    var (units, groups) = (NameNumbers(), NameNumbers())
    for (index, face) in all.enumerated() {
      let source = face.source ?? ""
      // What a real video and a fake of one name are stay two.
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

  /// The units' probabilities out of those that each face has, one a member.
  func aggregated(
    _ probabilities: [[Float]], _ members: [String], _ combination: ScoreCombination
  ) -> [Float] {
    faces.map { faces in
      combination([MemberScores](faces.map { probabilities[$0] }, members: members)).probability
    }
  }

  /// The units, to be weighed and drawn.
  var weighed: WeighedJudgements {
    WeighedJudgements(
      labels: labels, groups: Array(labels.indices), clusters: clusters, sources: sources)
  }

  /// The faces, to be weighed and drawn.
  var weighedFaces: WeighedJudgements {
    WeighedJudgements(
      labels: ofFace.map { labels[$0] }, groups: ofFace, clusters: ofFace.map { clusters[$0] },
      sources: ofFace.map { sources[$0] })
  }
}

/// The calibrations of networks, and that of videos on top of them.
struct CalibrationPair {
  /// Of each network's logits; those that change nothing where networks keep their own.
  private(set) var members: [LogitCalibration] = []
  /// Of a video's log odds; nil where none can be had.
  private(set) var videos: LogitCalibration?
  /// What was odd.
  private(set) var notes: [String] = []
  private let names: [String]
  private let combination: ScoreCombination

  /// Fits all of them.
  ///
  /// - Throws: `CalibrationError` where a network has no calibration, or where networks keep their
  ///   own and videos have none.
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
      notes.append("no calibration of videos: \(error)")
    }
  }

  /// Each face's calibrated probabilities, one a network.
  func faceProbabilities(_ all: [ScoredFace]) -> [[Float]] {
    all.map { $0.probabilities(members) }
  }

  /// The videos' calibrated probabilities.
  func videoProbabilities(_ all: [ScoredFace], _ units: CalibrationUnits) -> [Float] {
    var combination = combination
    combination.calibration = videos
    return units.aggregated(faceProbabilities(all), names, combination)
  }

  /// The fit; where a threshold tells all samples apart and nothing was said of smoothing, with
  /// smoothing.
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
        "the \(what) are told apart without an error; targets were smoothed, so that a"
          + " calibration exists"
      )
    }
    return calibration
  }
}

/// Probabilities of faces and videos, each by a calibration that was fitted to other groups, and
/// what is answered by a range that was chosen on them.
struct CrossFit {
  /// Of each face and network.
  private(set) var faces: [[Float]]
  /// Of each video.
  private(set) var videos: [Float]
  /// Whether each video gets an answer.
  private(set) var isAnswered: [Bool]

  /// The groups in five parts, each judged by what the others gave; nil with less than ten groups,
  /// or where the others give nothing.
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
