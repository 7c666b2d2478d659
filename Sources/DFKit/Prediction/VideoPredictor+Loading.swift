import Classifiers
import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO

extension VideoPredictor {
  /// The predictor that a recipe describes, with the weights that ship or were fetched: those that
  /// the recipe names. Where its detector has no weights, one that ships takes its place
  /// (`Recipe.Detector.choice`).
  ///
  /// - Throws: `MemberFilesError` and `WeightsStoreError` where the recipe leaves weights open that
  ///   are not there; `WeightsError` and `ClassifierError` where they cannot be used.
  public init(recipe: Recipe) throws {
    var recipe = recipe
    let choice = try recipe.detector.choice(in: try? WeightsStore(), allowsOther: true)
    recipe.detector = choice.settings
    try self.init(
      recipe: recipe, weights: MemberFiles([], members: recipe.members),
      detectorWeights: choice.weights)
    detectorName = choice.name
  }

  /// The predictor that a recipe describes, its detector's weights read from a file.
  ///
  /// - Throws: `WeightsError` and `ClassifierError` where a file cannot be used.
  public init(recipe: Recipe, weights: MemberFiles, detectorWeights: URL) throws {
    try self.init(recipe: recipe, weights: weights, detectorWeights: .file(detectorWeights))
  }

  /// The predictor that a recipe describes, with weights from anywhere.
  ///
  /// - Throws: `WeightsError` and `ClassifierError` where they cannot be used.
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
  /// The detector with its weights.
  ///
  /// - Throws: `WeightsError` where the file cannot be used.
  public func load(_ weights: URL) throws(WeightsError) -> any FaceDetector {
    try load(.file(weights))
  }

  /// The detector with weights from anywhere.
  ///
  /// - Throws: `WeightsError` where they cannot be used.
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
    }
    return try kind.family.makeDetector(try weights.read(), settings)
  }
}

extension Recipe {
  /// Notes whether the scores are calibrated with these weights, unless that is known already, and
  /// leaves `Decision.uncalibratedRange` undecided where they are not and the recipe does not say
  /// what is.
  public mutating func noteCalibration(of weights: MemberFiles) {
    guard verdict.isCalibrated == nil else { return }
    let isCalibrated = aggregation.calibration != nil || weights.areCalibrated
    verdict.isCalibrated = isCalibrated
    if !isCalibrated, !verdict.callsAll, verdict.undecided == nil {
      verdict.undecided = Decision.uncalibratedRange
    }
  }

  /// What each member counts in `aggregation.models`, in the members' order; nil where none says.
  public var memberWeights: [Float]? {
    members.contains { $0.weight != nil } ? members.map { $0.weight ?? 1 } : nil
  }

  /// The ensemble of members, which are this recipe's in order, that aggregates as the recipe says.
  ///
  /// - Throws: `RecipeError` where members' weights cannot be used.
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

  /// The way from members' scores to a probability.
  ///
  /// - Throws: `RecipeError` where members' weights cannot be used.
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
        problem: "no weight may be below 0, and one must be above; they are \(weights)")
    }
    switch aggregation.models {
    case .mean: return WeightedMeanAggregator(weights)
    case .meanLogit: return StackedAggregator.weightedMeanLogit(weights)
    case let other:
      throw RecipeError(
        file: name, key: "aggregation.models",
        problem:
          "is '\(other)', which knows no weights; must be mean or mean-logit where a member has"
          + " a weight")
    }
  }
}
