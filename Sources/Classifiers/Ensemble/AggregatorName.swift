/// An aggregator by the name that recipes and commands give it.
///
/// ```swift
/// recipe.aggregation.frames = .trimmedMean(fraction: 0.2)
/// print(recipe.aggregation.frames)  // trimmed-mean:0.2
/// ```
public enum AggregatorName: Sendable, Equatable, CustomStringConvertible {
  /// `mean`: each score counts the same.
  case mean
  /// The mean of the log odds, as a probability.
  case meanLogit
  /// `median`: of an even number, the mean of the two in the middle.
  case median
  /// The mean without `fraction` of the scores at either end, at least 0 and below 0.5.
  case trimmedMean(fraction: Float = 0.1)
  /// `maximum`: the highest of the scores.
  case maximum
  /// The rule of the DFDC's winner.
  case confident
  /// The mean in which sure scores weigh more, by a power above 0 and at most 10.
  case powerWeighted(power: Float = 2)

  /// How each is written.
  public static let forms = [
    "mean", "mean-logit", "median", "trimmed-mean", "trimmed-mean:FRACTION", "maximum", "confident",
    "power-weighted", "power-weighted:POWER",
  ]

  /// The aggregator that `text` names, as in `forms`; nil where none is called so or its number is
  /// out of range.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let number = parts.count == 2 ? Float(parts[1]) : nil
    guard let name = parts.first, parts.count == 1 || number != nil else { return nil }
    switch (name, number) {
    case ("mean", nil): self = .mean
    case ("mean-logit", nil): self = .meanLogit
    case ("median", nil): self = .median
    case ("trimmed-mean", nil): self = .trimmedMean()
    case ("trimmed-mean", let number?) where number >= 0 && number < 0.5:
      self = .trimmedMean(fraction: number)
    case ("maximum", nil): self = .maximum
    case ("confident", nil): self = .confident
    case ("power-weighted", nil): self = .powerWeighted()
    case ("power-weighted", let number?) where number > 0 && number <= 10:
      self = .powerWeighted(power: number)
    default: return nil
    }
  }

  /// The text that names the aggregator.
  public var description: String {
    switch self {
    case .mean: "mean"
    case .meanLogit: "mean-logit"
    case .median: "median"
    case .trimmedMean(let fraction): "trimmed-mean:\(fraction)"
    case .maximum: "maximum"
    case .confident: "confident"
    case .powerWeighted(let power): "power-weighted:\(power)"
    }
  }

  /// The rule that the name stands for.
  public var aggregator: any Aggregator {
    switch self {
    case .mean: MeanAggregator()
    case .meanLogit: MeanLogitAggregator()
    case .median: MedianAggregator()
    case .trimmedMean(let fraction): TrimmedMeanAggregator(fraction: fraction)
    case .maximum: MaximumAggregator()
    case .confident: ConfidentAggregator()
    case .powerWeighted(let power): PowerWeightedAggregator(power: power)
    }
  }
}
