import Foundation

/// An event that a run reports while it runs.
public enum TrainingEvent: Sendable {
  /// The run starts or resumes.
  case begins(RunOutline)
  /// A step is complete.
  case step(StepProgress)
  /// `done` of `total` validation images are evaluated.
  case validating(done: Int, total: Int)
  /// Before the first epoch: the features of `done` of `total` pictures are computed.
  case preparing(done: Int, total: Int)
  /// An epoch is complete and saved.
  case epoch(EpochMetrics)
  /// A checkpoint was written in the middle of an epoch.
  case checkpoint(step: Int)
  /// A message for the user, such as a picture that was left out.
  case note(String)
  /// The run is complete.
  case ends(TrainingResult)
}

/// The size of a run, known when it starts.
public struct RunOutline: Sendable, Equatable {
  /// Number of training samples.
  public var trainingSamples: Int
  /// Number of validation samples.
  public var validationSamples: Int
  /// Number of images in an epoch, including made fakes.
  public var imagesPerEpoch: Int
  /// Number of optimiser steps in an epoch.
  public var stepsPerEpoch: Int
  /// Maximum number of epochs on the training part.
  public var epochs: Int
  /// Number of trainable values in the network's parameters.
  public var learnable: Int
  /// Number of frozen values in the network's parameters.
  public var frozen: Int
  /// Number of steps done before this run was resumed; 0 for a new run.
  public var stepsBefore: Int
}

/// The progress of a run after a step.
public struct StepProgress: Sendable, Equatable {
  /// The epoch, from 1.
  public var epoch: Int
  /// Maximum number of epochs, including those on the validation part.
  public var epochs: Int
  /// The part of the data that the epoch trains on.
  public var part: EpochMetrics.Part
  /// Number of steps of the run so far.
  public var step: Int
  /// Number of images of the epoch so far.
  public var images: Int
  /// Number of images in the whole epoch.
  public var imagesPerEpoch: Int
  /// The mean loss of the step's images.
  public var loss: Double
  /// The mean loss of the epoch so far.
  public var meanLoss: Double
  /// The norm of the gradient, before clipping.
  public var gradientNorm: Float
  /// The learning rate of the last step.
  public var learningRate: Float
  /// Images per second over the last steps.
  public var imagesPerSecond: Double
  /// Estimated seconds until the end of the epoch, without validation.
  public var secondsLeftInEpoch: Double
  /// Estimated seconds until the end of the run, including validation, without an early stop.
  public var secondsLeft: Double
}

/// The result of a run.
public struct TrainingResult: Sendable, Equatable {
  /// The results of each epoch, in order.
  public var epochs: [EpochMetrics]
  /// Why the run ended.
  public var reason: Reason
  /// The file with the best weights, or without validation the latest.
  public var best: URL

  /// Why a run ended.
  public enum Reason: String, Sendable {
    /// All epochs are done.
    case completed
    /// The validation loss stopped falling.
    case earlyStop
  }
}
