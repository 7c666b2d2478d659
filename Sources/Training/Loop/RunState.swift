import DeepfakeCore

/// How far a run has come, its tensors aside. With them, it is all that a run goes on from.
struct RunState: Codable, Sendable, Equatable {
  /// The epoch in work, from 1, or the next one.
  var epoch = 1
  /// What the epoch learns from.
  var part = EpochMetrics.Part.training
  /// Samples of the epoch's order that have been used.
  var position = 0
  /// Batches of the run so far; with the seed it fixes what dropout drops.
  var batches = 0
  /// Steps of the run so far.
  var steps = 0
  /// The sum of the losses of the epoch's images.
  var lossSum = 0.0
  /// The sums of the losses that the loss is made of; nil where there is one only.
  var partSums: [Double]?
  /// Images of the epoch so far.
  var images = 0
  /// Seconds that the epoch has taken.
  var seconds = 0.0
  /// The learning rate of the last step.
  var learningRate: Float = 0
  /// What the schedule remembers.
  var schedule: [String: Double] = [:]
  /// The lowest validation loss so far.
  var bestLoss: Double?
  /// Epochs since it was lowest.
  var epochsWithoutProgress = 0
  /// Training epochs done when the validation part's began; nil before that.
  var trainingEpochs: Int?
  /// The epochs so far.
  var rows: [EpochMetrics] = []
  /// Whether there is nothing left to do.
  var isFinished = false
}

extension RunState {
  /// The mean loss of the epoch's images so far.
  var meanLoss: Double { lossSum / Double(max(1, images)) }

  /// The mean losses that the loss is made of, by their names; nil where there is one only.
  func meanParts(_ names: [String]) -> [EpochMetrics.LossPart]? {
    partSums.map { sums in
      zip(names, sums).map { .init(name: $0, mean: $1 / Double(max(1, images))) }
    }
  }

  /// Takes in what a step on some images came to.
  mutating func add(_ loss: Double, _ parts: [Double], images count: Int) {
    images += count
    lossSum += loss * Double(count)
    guard !parts.isEmpty else { return }
    partSums = zip(partSums ?? parts.map { _ in 0 }, parts).map { $0 + $1 * Double(count) }
  }

  /// Begins the next epoch's sums.
  mutating func forgetEpoch() {
    (lossSum, partSums, images, seconds) = (0, nil, 0, 0)
  }
}

extension RunState {
  /// Why the state is impossible, or nil if it is not: it comes from a file that others may have
  /// changed.
  var problem: String? {
    // Above any run, and far below where sums of them would overflow.
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
