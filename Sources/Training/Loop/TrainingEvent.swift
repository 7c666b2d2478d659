import Foundation

/// What a run tells while it goes on.
public enum TrainingEvent: Sendable {
  /// The run begins, or goes on after `steps` steps.
  case begins(RunOutline)
  /// A step is done.
  case step(StepProgress)
  /// So many of the validation part's images are judged.
  case validating(done: Int, total: Int)
  /// An epoch is done, and saved.
  case epoch(EpochMetrics)
  /// A checkpoint was written in the middle of an epoch.
  case checkpoint(step: Int)
  /// Something that whoever runs it should know.
  case note(String)
  /// The run is over.
  case ends(TrainingResult)
}

/// What a run is about to do.
public struct RunOutline: Sendable, Equatable {
  /// Samples to learn from.
  public var trainingSamples: Int
  /// Samples to judge by.
  public var validationSamples: Int
  /// Images that one epoch shows, made fakes included.
  public var imagesPerEpoch: Int
  /// Optimiser steps that one epoch takes.
  public var stepsPerEpoch: Int
  /// Epochs on the training part, at most.
  public var epochs: Int
  /// Numbers that learn.
  public var learnable: Int
  /// Numbers that do not, because they are frozen.
  public var frozen: Int
  /// Steps that were done before; 0 for a new run.
  public var stepsBefore: Int
}

/// How far a run is.
public struct StepProgress: Sendable, Equatable {
  /// The epoch, from 1.
  public var epoch: Int
  /// Epochs in all, at most.
  public var epochs: Int
  /// What is learned from.
  public var part: EpochMetrics.Part
  /// Steps of the run.
  public var step: Int
  /// Images of the epoch so far.
  public var images: Int
  /// Images that the whole epoch shows.
  public var imagesPerEpoch: Int
  /// The loss of the step's images.
  public var loss: Double
  /// The mean loss of the epoch so far.
  public var meanLoss: Double
  /// The gradient's norm, before clipping.
  public var gradientNorm: Float
  /// The rate of the last step.
  public var learningRate: Float
  /// Images a second, of the last steps.
  public var imagesPerSecond: Double
  /// Seconds that the epoch has left, without validation.
  public var secondsLeftInEpoch: Double
  /// Seconds that the run has left if no early stop comes, validation included.
  public var secondsLeft: Double
}

/// What a run came to.
public struct TrainingResult: Sendable, Equatable {
  /// What was measured in each epoch, the first one first.
  public var epochs: [EpochMetrics]
  /// Why it ended.
  public var reason: Reason
  /// The file of the best weights; of the latest where nothing was validated.
  public var best: URL

  /// Why a run ended.
  public enum Reason: String, Sendable {
    /// All epochs are done.
    case completed
    /// The validation loss fell no more.
    case earlyStop
  }
}
