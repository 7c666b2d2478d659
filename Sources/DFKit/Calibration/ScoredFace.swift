import DeepfakeCore
import MediaIO
import Training

/// A face of known truth and what networks say of it.
package struct ScoredFace: Sendable, Equatable {
  /// The picture, as the manifest names it.
  package var path: String
  /// Whether the face is real or fake.
  package var label: FaceLabel
  /// What is judged as one: the video, or what stands in for it.
  package var video: String
  /// What belongs together and is drawn as one for intervals (`FaceManifest.groups`).
  package var group: String
  /// The collection, where known.
  package var source: String?
  /// The log odds of "fake" of each network, not calibrated by what is to be fitted. At least one.
  package var logits: [Float]

  /// A face with the log odds of each network, in the networks' order.
  package init(
    path: String, label: FaceLabel, video: String, group: String, source: String? = nil,
    logits: [Float]
  ) {
    precondition(!logits.isEmpty, "ScoredFace: no logits")
    self.path = path
    self.label = label
    self.video = video
    self.group = group
    self.source = source
    self.logits = logits
  }

  /// A sample of a manifest, with its group and the log odds of each network.
  init(_ sample: FaceSample, group: String, logits: [Float]) {
    self.init(
      path: sample.path, label: sample.label, video: sample.judgedWith, group: group,
      source: sample.origin, logits: logits)
  }

  /// What calibrations, one for each network, make of the logits.
  func probabilities(_ calibrations: [LogitCalibration]) -> [Float] {
    zip(calibrations, logits).map { $0.probability(logit: $1) }
  }
}

extension [ScoredFace] {
  /// The faces as CSV: `path,label,video,group`, then a column for each network, called `logit`
  /// where there is one only.
  package func csv(_ names: [String]) -> String {
    let columns = ["path", "label", "video", "group"] + (names.count == 1 ? ["logit"] : names)
    let lines = map { face in
      CSV.line([face.path, face.label.word, face.video, face.group] + face.logits.map { "\($0)" })
    }
    return ([CSV.line(columns)] + lines).joined(separator: "\n") + "\n"
  }
}
