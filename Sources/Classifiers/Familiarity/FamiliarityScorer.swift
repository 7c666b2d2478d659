import DeepfakeCore

/// What a network said of a face, and what the face is like.
package struct FamiliarityJudgement: Sendable, Equatable {
  /// The probability of "fake".
  package var score: Float
  /// Its measures, of which `limits` of a familiarity say what is unusual.
  package var measures: TraitValues
}

/// A classifier that may know which faces are unlike those that it learned from.
package protocol FamiliarityScorer: FrameClassifier {
  /// What it remembers; nil where its weights say nothing.
  var familiarity: Familiarity? { get }

  /// The raw outputs, [batch, classCount], and the features that lead to them, [batch, features],
  /// for prepared images.
  func logitsAndFeatures(_ batch: Tensor) -> (logits: Tensor, features: Tensor)
}

extension FamiliarityScorer {
  /// The raw outputs and the features of crops, and what they are like for this network, in the
  /// crops' order; the distance of the features is not measured.
  ///
  /// - Parameter pictures: what each crop is like whatever the network
  ///   (`TraitValues.pictures`).
  package func look(
    at crops: [Image], pictures: [TraitValues]
  ) -> [(logits: [Float], features: [Float], measures: TraitValues)] {
    precondition(
      pictures.count == crops.count, "look: \(pictures.count) measures for \(crops.count) crops")
    // What has the network's size is taken as it is: crops are brought to it once, for both.
    let fitted = Parallel.map(crops.count) { place in
      let image = input.fitted(crops[place])
      return (image: image, sharpness: image.laplacianVariance)
    }
    let rows = rows(of: fitted.map(\.image)) { batch in
      let (logits, features) = logitsAndFeatures(batch)
      return [logits, features]
    }
    return rows.indices.map { place in
      var measures = pictures[place]
      measures[.sharpness] = fitted[place].sharpness
      return (rows[place][0], rows[place][1], measures)
    }
  }

  /// What the network says of crops, and what they are like.
  ///
  /// - Parameter pictures: what each crop is like whatever the network
  ///   (`TraitValues.pictures`).
  /// - Throws: `ClassifierError.noProbability` when the network has neither one class nor two.
  package func judge(
    _ crops: [Image], pictures: [TraitValues]
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

  /// The same where no other network looks at the crops.
  ///
  /// - Parameter sides: the crops' sides in pixels of the frame, where they were scaled since;
  ///   their own if empty.
  package func judge(_ crops: [Image], sides: [Int] = []) throws -> [FamiliarityJudgement] {
    try judge(crops, pictures: TraitValues.pictures(crops, sides: sides))
  }
}

extension ClassifierModel: FamiliarityScorer {
  /// The raw outputs, and the pooled maps of the images as they are, in one pass.
  public func logitsAndFeatures(_ batch: Tensor) -> (logits: Tensor, features: Tensor) {
    let network = network
    let pooled = network.pooled(batch)
    return (withMirrorImages(network.logits(pooled: pooled), of: batch), pooled)
  }
}
