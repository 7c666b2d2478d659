import DeepfakeCore

extension FrameClassifier {
  /// The network's raw outputs, one list of `classCount` numbers a crop.
  public func logits(of crops: [Image]) -> [[Float]] {
    rows(of: crops) { [logits($0)] }.map { row in
      precondition(
        row[0].count == classCount,
        "FrameClassifier: \(row[0].count) logits for an image of \(classCount) classes")
      return row[0]
    }
  }

  /// What `outputs` gives for the crops, `batchSize` at a time: of each crop, its row of each
  /// tensor, which is [batch, n].
  func rows(of crops: [Image], _ outputs: (Tensor) -> [Tensor]) -> [[[Float]]] {
    precondition(batchSize > 0, "FrameClassifier: batchSize is \(batchSize)")
    var rows: [[[Float]]] = []
    rows.reserveCapacity(crops.count)
    for start in stride(from: 0, to: crops.count, by: batchSize) {
      let batch = Array(crops[start..<min(start + batchSize, crops.count)])
      let tensors = outputs(input.prepare(batch)).map(\.scalars)
      precondition(
        tensors.allSatisfy { $0.count % batch.count == 0 },
        "FrameClassifier: \(tensors.map(\.count)) numbers for \(batch.count) images")
      for i in batch.indices {
        rows.append(
          tensors.map { values in
            let width = values.count / batch.count
            return Array(values[i * width..<(i + 1) * width])
          })
      }
    }
    return rows
  }

  /// The probability of "fake" that `logits` stand for: the sigmoid of one, the second of the
  /// softmax of two, both calibrated where there is a calibration; nil for any other number, whose
  /// meaning is unknown.
  public func probability(_ logits: [Float]) -> Float? {
    guard let logit = logOdds(logits) else { return nil }
    return calibration.map { $0.probability(logit: logit) } ?? sigmoid(logit)
  }

  /// The log odds of "fake" that `logits` stand for, before any calibration: one itself, of two the
  /// second minus the first, nil for any other number.
  public func logOdds(_ logits: [Float]) -> Float? {
    switch logits.count {
    case 1: logits[0]
    case 2: logits[1] - logits[0]
    default: nil
    }
  }

  /// No calibration.
  public var calibration: LogitCalibration? { nil }

  /// The probability of "fake" for each crop.
  ///
  /// Throws `ClassifierError.noProbability` when the network has neither one class nor two.
  public func scores(_ crops: [Image]) throws -> [Float] {
    guard classCount == 1 || classCount == 2 else {
      throw ClassifierError.noProbability(classes: classCount)
    }
    return logits(of: crops).compactMap(probability)
  }
}
