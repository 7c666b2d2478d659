/// The aggregators that recipes and commands can name.
public enum AggregatorName {
  /// How each is written.
  public static let forms = [
    "mean", "mean-logit", "median", "trimmed-mean", "trimmed-mean:FRACTION", "maximum", "confident",
    "power-weighted", "power-weighted:POWER",
  ]

  /// The aggregator that `text` names; nil if none is called so.
  ///
  /// A trimmed mean may give its fraction, at least 0 and below 0.5: `trimmed-mean:0.2`; a power-weighted mean its power,
  /// above 0 and at most 10: `power-weighted:2`.
  public static func parse(_ text: some StringProtocol) -> (any Aggregator)? {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard let name = parts.first else { return nil }
    if parts.count == 2 {
      guard let value = Float(parts[1]) else { return nil }
      switch name {
      case "trimmed-mean" where value >= 0 && value < 0.5:
        return TrimmedMeanAggregator(fraction: value)
      case "power-weighted" where value > 0 && value <= 10:
        return PowerWeightedAggregator(power: value)
      default: return nil
      }
    }
    switch name {
    case "mean": return MeanAggregator()
    case "mean-logit": return MeanLogitAggregator()
    case "median": return MedianAggregator()
    case "trimmed-mean": return TrimmedMeanAggregator()
    case "maximum": return MaximumAggregator()
    case "confident": return ConfidentAggregator()
    case "power-weighted": return PowerWeightedAggregator()
    default: return nil
    }
  }
}
