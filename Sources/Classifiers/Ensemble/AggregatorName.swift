/// An aggregator, named as in recipes and on the command line.
///
/// ```swift
/// recipe.aggregation.frames = .trimmedMean(fraction: 0.2)
/// print(recipe.aggregation.frames)  // trimmed-mean:0.2
/// ```
public enum AggregatorName: Sendable, Equatable, CustomStringConvertible {
  /// `mean`: all scores have the same weight.
  case mean
  /// `mean-logit`: the mean of the log odds, as a probability.
  case meanLogit
  /// `median`: the mean of the two middle scores if their number is even.
  case median
  /// `trimmed-mean:FRACTION`: the mean without `fraction` of the scores at each end, at least 0 and
  /// below 0.5.
  case trimmedMean(fraction: Float = 0.1)
  /// `maximum`: the highest of the scores.
  case maximum
  /// `confident`: the rule of the DFDC's winner.
  case confident
  /// `power-weighted:POWER`: a mean in which scores far from one half weigh more. The power is
  /// above 0 and at most 10.
  case powerWeighted(power: Float = 2)

  /// The accepted spellings, for help texts.
  public static let forms = [
    "mean", "mean-logit", "median", "trimmed-mean", "trimmed-mean:FRACTION", "maximum", "confident",
    "power-weighted", "power-weighted:POWER",
  ]

  /// Parses a name written as in `forms`. Returns nil if the name is unknown or its number is out
  /// of range.
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

  /// The name, as `init(_:)` reads it.
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

  /// The aggregator with this name.
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
