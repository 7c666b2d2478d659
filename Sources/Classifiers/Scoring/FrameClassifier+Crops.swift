import DeepfakeCore

extension FrameClassifier {
  /// The network's logits, a list of `classCount` numbers for each crop.
  public func logits(of crops: [Image]) -> [[Float]] {
    logits(of: crops.map { MotionCrop($0) })
  }

  /// Runs `outputs` on the crops, `batchSize` at a time. Each tensor of its result is [batch, n];
  /// the returned list has, for each crop, its row of each tensor.
  func rows(of crops: [MotionCrop], _ outputs: (Tensor) -> [Tensor]) -> [[[Float]]] {
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

  /// The probability of "fake" for `logits`: the sigmoid of a single logit, or the second softmax
  /// output of two, with calibration if there is one. nil for any other number of logits.
  public func probability(_ logits: [Float]) -> Float? {
    guard let logit = logOdds(logits) else { return nil }
    return calibration.map { $0.probability(logit: logit) } ?? sigmoid(logit)
  }

  /// The log odds of "fake" before calibration: a single logit itself, or the second of two minus
  /// the first. nil for any other number of logits.
  public func logOdds(_ logits: [Float]) -> Float? {
    switch logits.count {
    case 1: logits[0]
    case 2: logits[1] - logits[0]
    default: nil
    }
  }

  /// nil: no calibration.
  public var calibration: LogitCalibration? { nil }

  /// The probability of "fake" for each crop.
  ///
  /// Throws `ClassifierError.noProbability` if the network does not have one or two outputs.
  public func scores(_ crops: [Image]) throws -> [Float] {
    guard classCount == 1 || classCount == 2 else {
      throw ClassifierError.noProbability(classes: classCount)
    }
    return logits(of: crops).compactMap(probability)
  }
}
