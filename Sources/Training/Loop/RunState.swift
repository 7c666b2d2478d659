import DeepfakeCore

/// The progress of a run, without its tensors. Together they are the complete state of a run.
struct RunState: Codable, Sendable, Equatable {
  /// The current epoch, from 1, or the next one.
  var epoch = 1
  /// The part of the data that the epoch trains on.
  var part = EpochMetrics.Part.training
  /// Number of samples of the epoch's order that were used.
  var position = 0
  /// Number of batches of the run so far. Together with the seed, it determines dropout.
  var batches = 0
  /// Number of steps of the run so far.
  var steps = 0
  /// Sum of the losses of the epoch's images.
  var lossSum = 0.0
  /// Sums of the terms of the loss; nil if it has only one.
  var partSums: [Double]?
  /// Number of images of the epoch so far.
  var images = 0
  /// Duration of the epoch so far, in seconds.
  var seconds = 0.0
  /// The learning rate of the last step.
  var learningRate: Float = 0
  /// The internal state of the schedule.
  var schedule: [String: Double] = [:]
  /// The lowest validation loss so far.
  var bestLoss: Double?
  /// Number of epochs since the validation loss was lowest.
  var epochsWithoutProgress = 0
  /// Number of epochs on the training part; nil until they are over.
  var trainingEpochs: Int?
  /// The results of the finished epochs.
  var rows: [EpochMetrics] = []
  /// Whether the run is complete.
  var isFinished = false
}

extension RunState {
  /// The mean loss of the epoch's images so far.
  var meanLoss: Double { lossSum / Double(max(1, images)) }

  /// The mean terms of the loss, by their names; nil if it has only one.
  func meanParts(_ names: [String]) -> [EpochMetrics.LossPart]? {
    partSums.map { sums in
      zip(names, sums).map { .init(name: $0, mean: $1 / Double(max(1, images))) }
    }
  }

  /// Adds the losses of a step, means over `count` images.
  mutating func add(_ loss: Double, _ parts: [Double], images count: Int) {
    images += count
    lossSum += loss * Double(count)
    guard !parts.isEmpty else { return }
    partSums = zip(partSums ?? parts.map { _ in 0 }, parts).map { $0 + $1 * Double(count) }
  }

  /// Resets the epoch's sums.
  mutating func forgetEpoch() {
    (lossSum, partSums, images, seconds) = (0, nil, 0, 0)
  }
}

extension RunState {
  /// Why the state is invalid, or nil if it is valid. It comes from a file, which may have been
  /// changed.
  var problem: String? {
    // More than any run has, and far below an overflow of sums.
    let counts = 0...(1 << 40)
    let numbers = [
      ("position", position), ("batches", batches), ("steps", steps), ("images", images),
      ("epochsWithoutProgress", epochsWithoutProgress), ("trainingEpochs", trainingEpochs ?? 0),
    ]
    if let (name, value) = numbers.first(where: { !counts.contains($0.1) }) {
      return "its \(name) cannot be \(value)"
    }
    guard epoch == rows.count + 1 else {
      return "its epoch is \(epoch), and \(rows.count) epochs are done"
    }
    guard rows.enumerated().allSatisfy({ $1.epoch == $0 + 1 && counts.contains($1.images) })
    else { return "its epochs are not in order" }
    return nil
  }
}
