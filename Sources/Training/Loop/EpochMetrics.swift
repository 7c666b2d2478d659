import Measures

/// The results of an epoch: one row of `metrics.csv`.
public struct EpochMetrics: Sendable, Equatable, Codable {
  /// Measures of the quality of predictions.
  public struct Scores: Sendable, Equatable, Codable {
    /// The mean negative log likelihood. For videos, probabilities are clipped to 0.01...0.99.
    public var logLoss: Double
    /// The fraction of predictions on the right side of one half.
    public var accuracy: Double
    /// Area under the ROC curve; nil if a label has fewer than two predictions.
    public var auc: Double?
    /// The rate at which false alarms and misses are equal; nil if a label has fewer than two
    /// predictions.
    public var equalErrorRate: Double?

    /// Makes scores from their values.
    public init(logLoss: Double, accuracy: Double, auc: Double?, equalErrorRate: Double?) {
      self.logLoss = logLoss
      self.accuracy = accuracy
      self.auc = auc
      self.equalErrorRate = equalErrorRate
    }
  }

  /// One of the terms that are added up to the loss.
  public struct LossPart: Sendable, Equatable, Codable {
    /// The name, such as `boxes`.
    public var name: String
    /// The mean over the epoch's images, before the weight is applied.
    public var mean: Double
  }

  /// The part of the data that an epoch trains on.
  public enum Part: String, Sendable, Codable {
    /// The training part.
    case training
    /// The validation part, in additional epochs at the end.
    case validation
  }

  /// The epoch, from 1.
  public var epoch: Int
  /// The part of the data that the epoch trained on.
  public var part: Part
  /// Number of steps of the run so far.
  public var steps: Int
  /// Duration of training in seconds, without validation.
  public var seconds: Double
  /// Number of images trained on.
  public var images: Int
  /// The learning rate of the last step.
  public var learningRate: Float
  /// The mean training loss over the epoch's images.
  public var loss: Double
  /// The terms of the loss; nil if it has only one.
  public var parts: [LossPart]?
  /// Validation scores by frame; nil without validation.
  public var frames: Scores?
  /// Validation scores by video, from the mean of its frames' probabilities; nil without
  /// validation.
  public var videos: Scores?
  /// Whether the validation loss is lower than in all epochs before. True without validation.
  public var isBest: Bool

  /// Makes an epoch's row from its values.
  public init(
    epoch: Int, part: Part, steps: Int, seconds: Double, images: Int, learningRate: Float,
    loss: Double, parts: [LossPart]? = nil, frames: Scores?, videos: Scores?, isBest: Bool
  ) {
    self.epoch = epoch
    self.part = part
    self.steps = steps
    self.seconds = seconds
    self.images = images
    self.learningRate = learningRate
    self.loss = loss
    self.parts = parts
    self.frames = frames
    self.videos = videos
    self.isBest = isBest
  }
}

extension EpochMetrics {
  /// The header line of `metrics.csv`, for a loss with one term.
  public static let header =
    "epoch,part,steps,seconds,images_per_second,learning_rate,train_loss"
    + ",val_log_loss,val_accuracy,val_auc,val_eer"
    + ",video_log_loss,video_accuracy,video_auc,video_eer,best"

  /// The header line for a loss with several terms of these names.
  static func header(parts names: [String]) -> String {
    ([header] + names).joined(separator: ",")
  }

  /// The values as a CSV row, without a line break.
  public var row: String {
    let rate = seconds > 0 ? AxisTicks.fixed(Double(images) / seconds, 2) : ""
    let start = [
      "\(epoch)", part.rawValue, "\(steps)", AxisTicks.fixed(seconds, 1), rate, "\(learningRate)",
      Self.text(loss),
    ]
    let end = [isBest ? "1" : "0"] + (parts ?? []).map { Self.text($0.mean) }
    return (start + Self.cells(frames) + Self.cells(videos) + end).joined(separator: ",")
  }

  private static func cells(_ scores: Scores?) -> [String] {
    guard let scores else { return Array(repeating: "", count: 4) }
    return [
      text(scores.logLoss), text(scores.accuracy), scores.auc.map(text) ?? "",
      scores.equalErrorRate.map(text) ?? "",
    ]
  }

  private static func text(_ value: Double) -> String { AxisTicks.fixed(value, 6) }
}
