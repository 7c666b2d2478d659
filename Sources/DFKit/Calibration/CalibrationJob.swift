import Classifiers
import DeepfakeCore
import Foundation
import MediaIO
import Training

/// Makes a network's probabilities honest on faces that it has not learned from: what `dfkit calibrate` does.
///
/// Groups (videos, or what stands in for them) count equally however many faces they have, and real and fake
/// ones as half each: the probabilities are those of footage that is as often fake as real.
public struct CalibrationJob: Sendable {
  /// The network's weights.
  public var weights: WeightsSource
  /// What the caller knows better than the weights' file.
  public var network = ClassifierOptions()
  /// What is judged.
  public var samples: SampleChoice
  /// What is fitted.
  public var method = CalibrationFit.Method.platt
  /// Whether targets are smoothed; nil for where the samples can be told apart without error.
  public var smoothsTargets: Bool?
  /// How the frames of a video become one score.
  public var aggregator: any Aggregator = MeanAggregator()
  /// What a video's probability is held in.
  public var clip: ClosedRange<Float>? = 0.01...0.99
  /// What accuracy the answers on videos are to have outside of the range that is suggested as undecided.
  public var accuracy = 0.95
  /// What intervals are made with.
  public var bootstrap = GroupBootstrap()

  /// A job.
  public init(weights: WeightsSource, samples: SampleChoice) {
    self.weights = weights
    self.samples = samples
  }

  /// Judges the faces and fits.
  ///
  /// - Throws: `WeightsError`, `ClassifierError`, `DatasetError`, `CalibrationError`, `CancellationError`.
  public func run(progress: (JobProgress) -> Void = { _ in }) throws -> CalibrationReport {
    let state = try weights.read()
    let classifier = try ClassifierModel(state, network)
    guard classifier.classCount <= 2 else {
      throw ClassifierError.noProbability(classes: classifier.classCount)
    }
    let chosen = try samples.read()
    let faces = try judge(chosen.manifest, with: classifier, progress: progress)
    var report = try CalibrationReport(faces, self, before: classifier.calibration)
    report.weights = weights.name
    report.settings = classifier.settings
    report.dataDigest = chosen.digest
    report.part = chosen.words
    return report
  }

  private func judge(
    _ manifest: FaceManifest, with classifier: ClassifierModel, progress: (JobProgress) -> Void
  ) throws -> [ScoredFace] {
    var faces: [ScoredFace] = []
    faces.reserveCapacity(manifest.count)
    let samples = manifest.samples
    for start in stride(from: 0, to: samples.count, by: 16) {
      try Task.checkCancellation()
      let batch = samples[start..<min(start + 16, samples.count)]
      progress(
        JobProgress(
          done: 0, total: 1, file: "judging \(start) of \(samples.count) faces",
          fraction: Double(start) / Double(samples.count)))
      var crops: [Image] = []
      for sample in batch {
        do throws(MediaError) {
          crops.append(try ImageFile.read(sample.file))
        } catch {
          throw DatasetError.picture(error)
        }
      }
      for (sample, logits) in zip(batch, classifier.logits(of: crops)) {
        guard let logit = classifier.logOdds(logits), logit.isFinite else {
          throw CalibrationError.notFinite(
            index: faces.count, logit: Double(logits.first ?? .nan), weight: 1)
        }
        faces.append(ScoredFace(sample, logit: logit))
      }
    }
    return faces
  }
}

/// A face of known truth and what a network says of it.
public struct ScoredFace: Sendable, Equatable {
  /// The picture, as the manifest names it.
  public var path: String
  /// The truth.
  public var label: FaceLabel
  /// What is judged as one: the video, or what stands in for it.
  public var video: String
  /// What hangs together and is drawn as one for intervals: the manifest's group, or the video.
  public var group: String
  /// The log odds of "fake" as the network gives them, not calibrated.
  public var logit: Float

  /// A face.
  public init(path: String, label: FaceLabel, video: String, group: String, logit: Float) {
    self.path = path
    self.label = label
    self.video = video
    self.group = group
    self.logit = logit
  }

  /// A judged sample. Where its video is not known, its group is taken for it; where neither is, it stands
  /// alone.
  init(_ sample: FaceSample, logit: Float) {
    let video = sample.video ?? sample.group ?? sample.path
    self.init(
      path: sample.path, label: sample.label, video: video, group: sample.group ?? video,
      logit: logit)
  }
}

extension [ScoredFace] {
  /// The faces as CSV: `path,label,video,group,logit`.
  public var csv: String {
    let lines = map {
      CSV.line([$0.path, $0.label.word, $0.video, $0.group, "\($0.logit)"])
    }
    return ([CSV.line(["path", "label", "video", "group", "logit"])] + lines)
      .joined(separator: "\n") + "\n"
  }
}
