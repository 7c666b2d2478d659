import DeepfakeCore
import Synchronization

/// What a network said of a face, and what the face is like.
public struct FamiliarityJudgement: Sendable, Equatable {
  /// The probability of "fake".
  public var score: Float
  /// What was measured.
  public var measures: FamiliarityMeasures
}

/// A classifier that may know which faces are unlike those that it learned from.
public protocol FamiliarityScorer: FrameClassifier {
  /// What it remembers; nil where its weights say nothing.
  var familiarity: Familiarity? { get }

  /// The raw outputs, [batch, classCount], and the features that lead to them, [batch, features], for prepared
  /// images.
  func logitsAndFeatures(_ batch: Tensor) -> (logits: Tensor, features: Tensor)
}

extension FamiliarityScorer {
  /// The raw outputs and the features of crops, one list each a crop.
  public func logitsAndFeatures(of crops: [Image]) -> [(logits: [Float], features: [Float])] {
    var rows: [(logits: [Float], features: [Float])] = []
    rows.reserveCapacity(crops.count)
    for start in stride(from: 0, to: crops.count, by: batchSize) {
      let batch = Array(crops[start..<min(start + batchSize, crops.count)])
      let (logits, features) = logitsAndFeatures(input.prepare(batch))
      let (outputs, values) = (logits.scalars, features.scalars)
      let width = values.count / batch.count
      precondition(
        outputs.count == batch.count * classCount && values.count == batch.count * width,
        "FamiliarityScorer: \(logits.shape) and \(features.shape) for \(batch.count) images")
      for i in batch.indices {
        rows.append(
          (
            Array(outputs[i * classCount..<(i + 1) * classCount]),
            Array(values[i * width..<(i + 1) * width])
          ))
      }
    }
    return rows
  }

  /// What the network says of crops, and what they are like.
  ///
  /// - Parameters:
  ///   - crops: the crops as they were cut.
  ///   - sides: their sides in pixels of the frame, where they were scaled since; their own if empty.
  /// - Throws: `ClassifierError.noProbability` when the network has neither one class nor two.
  public func judge(_ crops: [Image], sides: [Int] = []) throws -> [FamiliarityJudgement] {
    precondition(
      sides.isEmpty || sides.count == crops.count,
      "judge: \(sides.count) sides for \(crops.count) crops")
    let pictures = Mutex([Int: FamiliarityMeasures]())
    Parallel.forEach(crops.count) { place in
      let found = FamiliarityMeasures(
        picture: crops[place], fitted: input.fitted(crops[place]),
        side: sides.isEmpty ? nil : sides[place])
      pictures.withLock { $0[place] = found }
    }
    let measured = pictures.withLock { $0 }
    return try logitsAndFeatures(of: crops).enumerated().map { place, row in
      guard let score = probability(row.logits) else {
        throw ClassifierError.noProbability(classes: classCount)
      }
      var measures = measured[place, default: FamiliarityMeasures()]
      measures[.features] = familiarity?.distance(row.features)
      return FamiliarityJudgement(score: score, measures: measures)
    }
  }
}

extension ClassifierModel: FamiliarityScorer {
  /// The raw outputs and the pooled maps that lead to them, in one pass.
  public func logitsAndFeatures(_ batch: Tensor) -> (logits: Tensor, features: Tensor) {
    let network = network
    let pooled = network.pooled(batch)
    return (network.logits(pooled: pooled), pooled)
  }
}
