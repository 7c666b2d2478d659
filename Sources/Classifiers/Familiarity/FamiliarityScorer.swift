import DeepfakeCore

/// A network's score of a face, and the measures of that face.
package struct FamiliarityJudgement: Sendable, Equatable {
  /// The probability of "fake".
  package var score: Float
  /// The face's measures; a familiarity's `limits` decide which are unusual.
  package var measures: TraitValues
}

/// A classifier that can tell which faces are unlike those that it learned from.
package protocol FamiliarityScorer: FrameClassifier {
  /// The statistics of those faces; nil if the weights file holds none.
  var familiarity: Familiarity? { get }

  /// The logits, [batch, classCount], and the pooled features, [batch, features], for prepared
  /// images.
  func logitsAndFeatures(_ batch: Tensor) -> (logits: Tensor, features: Tensor)
}

extension FamiliarityScorer {
  /// The logits, features and measures of crops, in the crops' order. The distance of the features
  /// is not measured.
  ///
  /// - Parameter pictures: The measures that do not depend on the network, one set per crop
  ///   (`TraitValues.pictures`).
  package func look(
    at crops: [MotionCrop], pictures: [TraitValues]
  ) -> [(logits: [Float], features: [Float], measures: TraitValues)] {
    precondition(
      pictures.count == crops.count, "look: \(pictures.count) measures for \(crops.count) crops")
    // Crops are resized once, for the sharpness and for the network; the network keeps images of
    // its size.
    let fitted = Parallel.map(crops.count) { place in
      let crop = crops[place].map(input.fitted)
      return (crop: crop, sharpness: crop.image.laplacianVariance)
    }
    let rows = rows(of: fitted.map(\.crop)) { batch in
      let (logits, features) = logitsAndFeatures(batch)
      return [logits, features]
    }
    return rows.indices.map { place in
      var measures = pictures[place]
      measures[.sharpness] = fitted[place].sharpness
      return (rows[place][0], rows[place][1], measures)
    }
  }

  /// The scores and the measures of crops, in the crops' order.
  ///
  /// - Parameter pictures: The measures that do not depend on the network, one set per crop
  ///   (`TraitValues.pictures`).
  /// - Throws: `ClassifierError.noProbability` if the network does not have one or two outputs.
  package func judge(
    _ crops: [MotionCrop], pictures: [TraitValues]
  ) throws -> [FamiliarityJudgement] {
    try look(at: crops, pictures: pictures).map { face in
      guard let score = probability(face.logits) else {
        throw ClassifierError.noProbability(classes: classCount)
      }
      var measures = face.measures
      measures[.features] = familiarity?.distance(face.features)
      return FamiliarityJudgement(score: score, measures: measures)
    }
  }

  /// The scores and the measures of crops, for callers that use a single network.
  ///
  /// - Parameter sides: The sides of the crops in the frame, in pixels, if the crops were scaled
  ///   afterwards; empty: the crops' own sides.
  package func judge(_ crops: [Image], sides: [Int] = []) throws -> [FamiliarityJudgement] {
    try judge(
      crops.map { MotionCrop($0) }, pictures: TraitValues.pictures(crops, sides: sides))
  }
}

extension ClassifierModel: FamiliarityScorer {
  /// The logits and the pooled features, in one pass. With mirroring, the logits are the means over
  /// both images, but the features are those of the given images only.
  public func logitsAndFeatures(_ batch: Tensor) -> (logits: Tensor, features: Tensor) {
    let network = network
    let pooled = network.pooled(batch)
    return (withMirrorImages(network.logits(pooled: pooled), of: batch), pooled)
  }
}
