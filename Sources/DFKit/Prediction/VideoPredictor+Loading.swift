import Classifiers
import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO

extension VideoPredictor {
  /// The predictor that a recipe describes, with the weights that the recipe names, and fetched or
  /// shipped weights for the detector. If its detector has no weights, one that ships is used
  /// instead (`Recipe.Detector.choice`).
  ///
  /// - Throws: `MemberFilesError` and `WeightsStoreError` if weights are missing, `WeightsError`
  ///   and `ClassifierError` if they cannot be used.
  public init(recipe: Recipe) throws {
    var recipe = recipe
    let choice = try recipe.detector.choice(in: try? WeightsStore(), allowsOther: true)
    recipe.detector = choice.settings
    try self.init(
      recipe: recipe, weights: MemberFiles([], members: recipe.members),
      detectorWeights: choice.weights)
    detectorName = choice.name
  }

  /// The predictor that a recipe describes, with a detector's weights from a file.
  ///
  /// - Throws: `WeightsError` and `ClassifierError` if a file cannot be used.
  public init(recipe: Recipe, weights: MemberFiles, detectorWeights: URL) throws {
    try self.init(recipe: recipe, weights: weights, detectorWeights: .file(detectorWeights))
  }

  /// The predictor that a recipe describes, with a detector's weights from any source.
  ///
  /// - Throws: `WeightsError` and `ClassifierError` if the weights cannot be used.
  public init(recipe: Recipe, weights: MemberFiles, detectorWeights: WeightsSource) throws {
    var recipe = recipe
    recipe.noteCalibration(of: weights)
    let detector = try recipe.detector.load(detectorWeights)
    self.init(
      recipe: recipe, detector: detector,
      ensemble: try recipe.ensemble(of: weights.members()))
    detectorName = detectorWeights.name
  }
}

extension Recipe.Detector {
  /// The detector with weights from a file.
  ///
  /// - Throws: `WeightsError` if the file cannot be used.
  public func load(_ weights: URL) throws(WeightsError) -> any FaceDetector {
    try load(.file(weights))
  }

  /// The detector with weights from any source.
  ///
  /// - Throws: `WeightsError` if the weights cannot be used.
  public func load(_ weights: WeightsSource) throws(WeightsError) -> any FaceDetector {
    var settings = DetectorSettings()
    settings.frameScale = frameScale
    settings.minimumFaceSize = minFace
    switch method {
    case .retinaface(let threshold, let overlap):
      settings.threshold = threshold
      settings.overlapThreshold = overlap
    case .mtcnn(let thresholds, let factor):
      settings.thresholds = thresholds
      settings.factor = factor
    case .other(_, let threshold): settings.threshold = threshold
    }
    return try kind.family.makeDetector(try weights.read(), settings)
  }
}

extension Recipe {
  /// Sets `verdict.isCalibrated` for these weights, unless it is already set. If the scores are not
  /// calibrated and the recipe does not set `undecided`, the undecided range becomes
  /// `Decision.uncalibratedRange`.
  public mutating func noteCalibration(of weights: MemberFiles) {
    guard verdict.isCalibrated == nil else { return }
    let isCalibrated = aggregation.calibration != nil || weights.areCalibrated
    verdict.isCalibrated = isCalibrated
    if !isCalibrated, !verdict.hasNoUndecidedRange, verdict.undecided == nil {
      verdict.undecided = Decision.uncalibratedRange
    }
  }

  /// The weight of each member in `aggregation.models`, in order; nil if no member has a weight.
  public var memberWeights: [Float]? {
    members.contains { $0.weight != nil } ? members.map { $0.weight ?? 1 } : nil
  }

  /// An ensemble that aggregates as the recipe says.
  ///
  /// - Parameter members: The networks of the recipe's members, in order.
  /// - Throws: `RecipeError` if the members' weights in the aggregation are invalid.
  public func ensemble(of members: [Ensemble.Member]) throws(RecipeError) -> Ensemble {
    precondition(
      memberWeights == nil || members.count == self.members.count,
      "Recipe: \(members.count) members for \(self.members.count) weights")
    let combination = try combination()
    var ensemble = Ensemble(
      members, frames: combination.frames, models: combination.models, clip: combination.clip)
    ensemble.calibration = combination.calibration
    return ensemble
  }

  /// How the members' scores are combined into a probability.
  ///
  /// - Throws: `RecipeError` if the members' weights in the aggregation are invalid.
  package func combination() throws(RecipeError) -> ScoreCombination {
    ScoreCombination(
      frames: aggregation.frames.aggregator, models: try modelsAggregator(),
      calibration: aggregation.calibration, clip: aggregation.clip)
  }

  private func modelsAggregator() throws(RecipeError) -> any Aggregator {
    guard let weights = memberWeights else { return aggregation.models.aggregator }
    guard weights.allSatisfy({ $0 >= 0 && $0.isFinite }), weights.contains(where: { $0 > 0 }) else {
      throw RecipeError(
        file: name, key: "members",
        problem: "no weight may be negative, and one must be above 0; they are \(weights)")
    }
    switch aggregation.models {
    case .mean: return WeightedMeanAggregator(weights)
    case .meanLogit: return StackedAggregator.weightedMeanLogit(weights)
    case let other:
      throw RecipeError(
        file: name, key: "aggregation.models",
        problem:
          "is '\(other)', which does not support weights; must be mean or mean-logit if a member"
          + " has a weight")
    }
  }
}
