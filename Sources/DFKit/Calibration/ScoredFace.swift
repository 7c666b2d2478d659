import DeepfakeCore
import FaceData
import Measures
import MediaIO

/// A face with its label and the logits of each network.
package struct ScoredFace: Sendable, Equatable {
  /// The path of the picture in the manifest, or the video's name with the number of the face.
  package var path: String
  package var label: FaceLabel
  /// Faces with the same name here are judged together: the name of the video, its group, or the
  /// picture alone.
  package var video: String
  /// Faces of the same group are drawn together for confidence intervals (`FaceManifest.groups`).
  package var group: String
  /// The collection, if known.
  package var source: String?
  /// The log odds of "fake" by each network, before the calibration that is to be fitted. At least
  /// one.
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

  /// The probability of "fake" by each network, with one calibration for each.
  func probabilities(_ calibrations: [LogitCalibration]) -> [Float] {
    zip(calibrations, logits).map { $0.probability(logit: $1) }
  }
}

extension [ScoredFace] {
  /// The faces as CSV: `path,label,video,group`, then a column for each network. A single network's
  /// column is `logit`.
  package func csv(_ names: [String]) -> String {
    let columns = ["path", "label", "video", "group"] + (names.count == 1 ? ["logit"] : names)
    let lines = map { face in
      CSV.line([face.path, face.label.word, face.video, face.group] + face.logits.map { "\($0)" })
    }
    return ([CSV.line(columns)] + lines).joined(separator: "\n") + "\n"
  }
}
