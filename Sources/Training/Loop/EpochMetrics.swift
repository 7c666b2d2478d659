import Measures

/// What an epoch came to: one row of `metrics.csv`.
public struct EpochMetrics: Sendable, Equatable, Codable {
  /// How good predictions are.
  public struct Scores: Sendable, Equatable, Codable {
    /// The mean negative log likelihood, probabilities held in 0.01...0.99 for videos.
    public var logLoss: Double
    /// The part on the right side of one half.
    public var accuracy: Double
    /// The area under the ROC curve; nil where there are fewer than two of a label.
    public var auc: Double?
    /// The rate at which false alarms and misses are equally many; nil likewise.
    public var equalErrorRate: Double?

    /// Scores.
    public init(logLoss: Double, accuracy: Double, auc: Double?, equalErrorRate: Double?) {
      self.logLoss = logLoss
      self.accuracy = accuracy
      self.auc = auc
      self.equalErrorRate = equalErrorRate
    }
  }

  /// A loss that the loss is the sum of.
  public struct LossPart: Sendable, Equatable, Codable {
    /// The name, as in `boxes`.
    public var name: String
    /// The mean over the epoch's images, before it is weighted.
    public var mean: Double
  }

  /// The part of the data that was learned from.
  public enum Part: String, Sendable, Codable {
    /// The training part.
    case training
    /// The validation part, in the epochs after all others.
    case validation
  }

  /// The epoch, from 1.
  public var epoch: Int
  /// What was learned from.
  public var part: Part
  /// Steps of the run so far.
  public var steps: Int
  /// Seconds of training, without validation.
  public var seconds: Double
  /// Images learned from.
  public var images: Int
  /// The learning rate of the last step.
  public var learningRate: Float
  /// The mean loss over the epoch's images, as it was made small.
  public var loss: Double
  /// What the loss is made of; nil where it is one.
  public var parts: [LossPart]?
  /// On the validation part, by frame; nil where nothing was validated.
  public var frames: Scores?
  /// By video: the mean of its frames' probabilities.
  public var videos: Scores?
  /// Whether no epoch before had a lower validation loss.
  public var isBest: Bool

  /// An epoch's row.
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
  /// The first line of `metrics.csv`.
  public static let header =
    "epoch,part,steps,seconds,images_per_second,learning_rate,train_loss"
    + ",val_log_loss,val_accuracy,val_auc,val_eer"
    + ",video_log_loss,video_accuracy,video_auc,video_eer,best"

  /// The first line where the loss has parts of these names.
  static func header(parts names: [String]) -> String {
    ([header] + names).joined(separator: ",")
  }

  /// The values as a row of CSV, without a line break.
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
