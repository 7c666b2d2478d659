import DeepfakeCore

/// A face crop, and the same place of its video's frame a little later.
package struct MotionCrop: Sendable {
  /// The crop that is judged.
  package var image: Image
  /// The crop of the later frame, cut by the same box, of the same size; nil if there is none.
  package var later: Image?

  package init(_ image: Image, later: Image? = nil) {
    self.image = image
    self.later = later
  }

  /// Both pictures changed alike. `change` must not depend on the picture's content.
  package func map(_ change: (Image) throws -> Image) rethrows -> MotionCrop {
    MotionCrop(try change(image), later: try later.map(change))
  }
}

extension FrameClassifier {
  /// The network's logits, a list of `classCount` numbers for each crop.
  package func logits(of crops: [MotionCrop]) -> [[Float]] {
    rows(of: crops) { [logits($0)] }.map { row in
      precondition(
        row[0].count == classCount,
        "FrameClassifier: \(row[0].count) logits for an image of \(classCount) classes")
      return row[0]
    }
  }
}

extension FaceScorer {
  /// The time from a crop to the later one that the scorer subtracts, in seconds; nil if it judges
  /// single crops.
  package var difference: Float? {
    let input = (self as? any FrameClassifier)?.input ?? (self as? SequenceScorer)?.frames.input
    return input?.difference?.seconds
  }
}

extension Ensemble.Member {
  /// One score per crop, as `scoreOfEach` for crops without later ones. Scorers that do not use
  /// motion get the crops alone.
  package func scoreOfEach(_ crops: [MotionCrop]) throws -> [Float] {
    if scorer.difference != nil, let sequence = scorer as? SequenceScorer {
      let scores = sequence.scores(of: crops)
      try check(scores, crops: crops.count)
      return crops.map { _ in scores[0] }
    }
    guard let classifier = scorer as? any FrameClassifier, classifier.input.difference != nil else {
      return try scoreOfEach(crops.map(\.image))
    }
    guard (1...2).contains(classifier.classCount) else {
      throw ClassifierError.noProbability(classes: classifier.classCount)
    }
    let scores = classifier.logits(of: crops).compactMap(classifier.probability)
    try check(scores, crops: crops.count)
    return scores
  }
}

extension [Ensemble.Member] {
  /// The time from a crop to the later one, in seconds; nil if no member uses motion.
  ///
  /// - Throws: `ClassifierError.invalidSetting` if two members use different times.
  package func difference() throws(ClassifierError) -> Float? {
    let times = compactMap { member in member.scorer.difference.map { (member.name, $0) } }
    guard let first = times.first else { return nil }
    if let other = times.first(where: { $0.1 != first.1 }) {
      throw .invalidSetting(
        file: other.0, name: "difference",
        reason: "is \(other.1) seconds, and that of \(first.0) is \(first.1). All members with a"
          + " difference need the same time; judge with one of them, or train one anew.")
    }
    return first.1
  }
}
