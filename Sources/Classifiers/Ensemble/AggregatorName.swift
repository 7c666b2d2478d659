/// The aggregators that recipes and commands can name.
public enum AggregatorName {
  /// How each is written.
  public static let forms = [
    "mean", "mean-logit", "median", "trimmed-mean", "trimmed-mean:FRACTION", "maximum", "confident",
  ]

  /// The aggregator that `text` names; nil if none is called so.
  ///
  /// A trimmed mean may give its fraction, at least 0 and below 0.5: `trimmed-mean:0.2`.
  public static func parse(_ text: some StringProtocol) -> (any Aggregator)? {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard let name = parts.first else { return nil }
    if parts.count == 2 {
      guard name == "trimmed-mean", let fraction = Float(parts[1]), fraction >= 0, fraction < 0.5
      else { return nil }
      return TrimmedMeanAggregator(fraction: fraction)
    }
    switch name {
    case "mean": return MeanAggregator()
    case "mean-logit": return MeanLogitAggregator()
    case "median": return MedianAggregator()
    case "trimmed-mean": return TrimmedMeanAggregator()
    case "maximum": return MaximumAggregator()
    case "confident": return ConfidentAggregator()
    default: return nil
    }
  }
}
