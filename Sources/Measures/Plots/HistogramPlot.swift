/// A histogram of scores, with reals above the axis and fakes below it, as SVG or pixels.
package struct HistogramPlot: Plot, Sendable {
  /// The heading of the plot.
  package var title: String
  /// A smaller line below the title; empty for none.
  package var subtitle = ""
  package var judgements: [Judgement]
  /// The number of bins of equal width from 0 to 1.
  package var bins: Int

  /// Creates a histogram of probabilities.
  package init(_ title: String, _ judgements: [Judgement], bins: Int = 20) {
    precondition(bins > 0, "HistogramPlot: \(bins) bins")
    self.title = title
    self.judgements = judgements
    self.bins = bins
  }

  private static let left = 62.0
  private static let width = 560.0
  private static let half = 130.0
  private static let quiet = "#666666"

  /// The histogram as a picture.
  package var drawing: Drawing {
    var picture = Drawing()
    picture.text(title, 16, 30, size: 16, isBold: true)
    if !subtitle.isEmpty { picture.text(subtitle, 16, 50, size: 12, color: Self.quiet) }
    let middle = 82 + Self.half
    let counts = [FaceLabel.real, .fake].map { label in counted(label) }
    let most = max(1, counts.flatMap { $0 }.max() ?? 1)
    let colors = ["#0072B2", "#D55E00"]
    for (side, name) in ["real", "fake"].enumerated() {
      let isAbove = side == 0
      for (bin, count) in counts[side].enumerated() where count > 0 {
        let height = Self.half * Double(count) / Double(most)
        picture.rectangle(
          x(bin) + 0.5, isAbove ? middle - height : middle, width: x(bin + 1) - x(bin) - 1,
          height: height, fill: colors[side])
      }
      let y = isAbove ? middle - Self.half : middle + Self.half
      picture.text(
        "\(name): \(counts[side].reduce(0, +))", Self.left + Self.width, y + (isAbove ? -6 : 12),
        anchor: .end, color: colors[side], isBold: true)
      picture.text(
        "\(most)", Self.left - 8, y + 4, size: 11, anchor: .end, color: Self.quiet)
    }
    picture.line(Self.left, middle, Self.left + Self.width, middle, color: "#888888")
    let bottom = middle + Self.half + 18
    for step in 0...5 {
      let place = Self.left + Self.width * Double(step) / 5
      picture.text(
        AxisTicks.fixed(Double(step) / 5, 1), place, bottom + 6, size: 11, anchor: .middle,
        color: Self.quiet)
    }
    picture.text(
      "predicted probability of fake", Self.left + Self.width / 2, bottom + 26,
      anchor: .middle)
    picture.size = (Self.left + Self.width + 26, bottom + 42)
    return picture
  }

  private func x(_ bin: Int) -> Double { Self.left + Self.width * Double(bin) / Double(bins) }

  private func counted(_ label: FaceLabel) -> [Int] {
    var counts = [Int](repeating: 0, count: bins)
    for judgement in judgements where judgement.label == label && judgement.score.isFinite {
      counts[min(max(Int(judgement.score * Double(bins)), 0), bins - 1)] += 1
    }
    return counts
  }
}
