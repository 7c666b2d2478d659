import DeepfakeCore
import FaceDetect
import Foundation
import Training

/// Evaluates a detector on scenes composed of held-out faces: the work of
/// `dfkit detector evaluate`.
package struct DetectorEvaluationJob: Sendable {
  /// Folders with a `manifest.csv`, or CSV files. Use the training's own manifests, so that the
  /// same faces are held out.
  package var data: [URL]
  /// The detector. Faces below its score threshold are missing in the results, whatever
  /// `thresholds` says.
  package var detector: any FaceDetector
  /// The number, size and seed of the scenes, and the overlap (IoU) of a face that counts as found.
  package var evaluation: DetectorEvaluation
  /// The score thresholds for which the report has results.
  package var thresholds: [Float]

  package init(
    data: [URL], detector: any FaceDetector, evaluation: DetectorEvaluation = .init(),
    thresholds: [Float] = [0.3, 0.5, 0.7, 0.8, 0.9]
  ) {
    self.data = data
    self.detector = detector
    self.evaluation = evaluation
    self.thresholds = thresholds
  }

  /// Composes the scenes and compares the detected faces with the true ones.
  ///
  /// - Throws: `DatasetError`, `FaceDetectError`, and `CancellationError` in a cancelled task.
  package func run() throws -> DetectorEvaluationReport {
    let split = try DetectorTrainingJob.split(data)
    return DetectorEvaluationReport(
      result: try evaluation.run(detector, faces: LabelledFaces(split.heldOut)),
      thresholds: thresholds)
  }
}

extension DetectorEvaluationJob {
  /// Writes the weights of a RetinaFace to a new file, as f16, with shifted scores: a score equal
  /// to `threshold` becomes 0.5, the default threshold of detectors.
  ///
  /// - Parameter threshold: The score, above 0 and below 1, that becomes 0.5.
  /// - Throws: `WeightsError` if the weights are not those of a RetinaFace or the file cannot be
  ///   written.
  package static func write(
    _ weights: WeightsSource, threshold: Float, to url: URL
  ) throws {
    precondition(threshold > 0 && threshold < 1, "threshold \(threshold) is not in 0...1")
    let state = try weights.read()
    guard RetinaFaceBackbone(recognizing: state) != nil else {
      throw WeightsError.unreadable(
        file: state.file, reason: "only the scores of a RetinaFace can be shifted")
    }
    let shift = log(threshold / (1 - threshold))
    let entries = try state.keys.compactMap { key -> StateDict.Entry? in
      guard let stored = state[key] else { return nil }
      let tensor = try stored.tensor()
      guard key.contains("ClassHead"), key.hasSuffix(".bias") else {
        return StateDict.Entry(key, tensor)
      }
      // For each anchor, the bias of "background", then that of "face".
      let values = tensor.scalars.enumerated().map { $0 % 2 == 0 ? $1 : $1 - shift }
      return StateDict.Entry(key, Tensor(values, shape: tensor.shape))
    }
    var metadata = state.metadata
    metadata["scoreShift"] = "\(shift)"
    try StateDict(tensors: entries, metadata: metadata).write(safetensors: url, dtype: .f16)
  }
}

/// The results of a detector on composed scenes.
package struct DetectorEvaluationReport: Sendable {
  package var result: DetectorEvaluation.Result
  /// The score thresholds for which the tables have results.
  package var thresholds: [Float]

  /// The tables that `dfkit detector evaluate` prints.
  package var text: String {
    var table = TextTable(
      [.init(""), .init("faces", .right)]
        + thresholds.map { .init("found at \($0)", .right) })
    for group in result.groups + [result.all] where group.faces > 0 {
      table.add(
        [group.name, "\(group.faces)"]
          + thresholds.map { group.recall(threshold: $0).fixed(3) })
    }
    table.add(
      ["false alarms per scene", ""]
        + thresholds.map { result.falseAlarms(threshold: $0).fixed(3) })
    return
      "\(table.text)\n\(result.scenes) scenes of held-out faces; for the faces found, the median"
      + " overlap of the boxes (IoU) is \(Self.median(result.overlaps).fixed(3)), the median error"
      + " of the landmarks is \(Self.median(result.landmarkErrors).fixed(3)) of the distance"
      + " between the eyes\n"
  }

  /// The results as JSON, rounded to four decimals.
  package var json: JSON {
    func rounded(_ value: Double) -> JSON { .double((value * 1e4).rounded() / 1e4) }
    func found(_ group: DetectorEvaluation.Result.Group) -> JSON {
      .array(thresholds.map { rounded(group.recall(threshold: $0)) })
    }
    let groups = result.groups.filter { $0.faces > 0 }.map { group -> JSON in
      ["group": .string(group.name), "faces": .integer(group.faces), "found": found(group)]
    }
    return [
      "scenes": .integer(result.scenes), "thresholds": .array(thresholds.map { .number($0) }),
      "groups": .array(groups),
      "faces": .integer(result.all.faces), "found": found(result.all),
      "falseAlarms": .array(thresholds.map { rounded(result.falseAlarms(threshold: $0)) }),
      "medianOverlap": rounded(Self.median(result.overlaps)),
      "medianLandmarkError": rounded(Self.median(result.landmarkErrors)),
    ]
  }

  private static func median(_ values: [Float]) -> Double {
    values.isEmpty ? .nan : Double(values.sorted()[values.count / 2])
  }
}
