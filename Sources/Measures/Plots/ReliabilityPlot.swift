/// A reliability diagram as SVG: the fraction of fakes against the predicted probability, with the
/// diagonal of perfect calibration, intervals, and a histogram of each series below. Series differ
/// in colour and in shape, so they can also be distinguished without colour.
package struct ReliabilityPlot: Plot, Sendable {
  /// The judgements of one curve.
  package struct Series: Sendable {
    /// The name in the legend.
    package var name: String
    /// The judgements in bins of equal count, drawn as points.
    package var bins: ReliabilityBins
    /// The judgements in bins of equal width, drawn as bars.
    package var histogram: ReliabilityBins

    /// Creates a series with ten bins for points and twenty for bars.
    package init(_ name: String, _ judgements: [Judgement]) {
      self.name = name
      bins = ReliabilityBins(judgements, .equalCount(10))
      histogram = ReliabilityBins(judgements, .equalWidth(20))
    }
  }

  /// The heading of the diagram.
  package var title: String
  /// Smaller lines below the title.
  package var subtitle: [String] = []
  /// The series, one to three. Later ones are drawn over earlier ones.
  package var series: [Series]

  /// Creates a diagram.
  package init(_ title: String, series: [Series]) {
    precondition((1...3).contains(series.count), "ReliabilityPlot: \(series.count) series")
    self.title = title
    self.series = series
  }

  private static let colors = ["#8A8A8A", "#0072B2", "#D55E00"]
  private static let quiet = "#666666"
  private static let side = 400.0
  private static let barHeight = 56.0
  private static let left = 62.0

  /// The diagram as a picture.
  package var drawing: Drawing {
    var picture = Drawing()
    var y = 30.0
    picture.text(title, 16, y, size: 16, isBold: true)
    for line in subtitle {
      y += 18
      picture.text(line, 16, y, size: 12, color: Self.quiet)
    }
    y += 26
    drawLegend(&picture, y: y)
    let top = y + 30
    drawFrame(&picture, top: top)
    for (index, series) in series.enumerated() {
      draw(series, at: index, &picture, top: top)
    }
    var bottom = top + Self.side + 44
    for (index, series) in series.enumerated() {
      drawCounts(series, at: index, &picture, top: bottom)
      bottom += Self.barHeight + 26
    }
    picture.text(
      "predicted probability of fake", Self.left + Self.side / 2, bottom + 4, size: 12,
      anchor: .middle)
    picture.size = (Self.left + Self.side + 26, bottom + 20)
    return picture
  }

  private static func x(_ value: Double) -> Double { left + side * value }

  private static func y(_ value: Double, _ top: Double) -> Double { top + side * (1 - value) }

  private func drawLegend(_ picture: inout Drawing, y: Double) {
    var x = Self.left
    for (index, series) in series.enumerated() {
      mark(index, x + 5, y - 4, &picture)
      picture.text(series.name, x + 16, y, size: 12)
      x += 34 + Drawing.width(series.name, size: 12)
    }
  }

  private func drawFrame(_ picture: inout Drawing, top: Double) {
    for step in 0...5 {
      let value = Double(step) / 5
      let (x, y) = (Self.x(value), Self.y(value, top))
      picture.line(Self.left, y, Self.left + Self.side, y, color: "#E4E4E4")
      picture.line(x, top, x, top + Self.side, color: "#E4E4E4")
      let label = AxisTicks.fixed(value, 1)
      picture.text(label, Self.left - 8, y + 4, size: 11, anchor: .end, color: Self.quiet)
      picture.text(label, x, top + Self.side + 17, size: 11, anchor: .middle, color: Self.quiet)
    }
    picture.path(
      [[(Self.x(0), Self.y(0, top)), (Self.x(1), Self.y(1, top))]], color: "#444444", width: 1.2,
      dash: [5, 4])
    picture.text("actual fraction of fakes", Self.left, top - 6, size: 11, color: Self.quiet)
  }

  private func draw(_ series: Series, at index: Int, _ picture: inout Drawing, top: Double) {
    let points = series.bins.bins.map { bin in
      (x: Self.x(bin.probability), y: Self.y(bin.share, top))
    }
    picture.path(
      [points], color: Self.colors[index], width: 1.6, dash: index == 0 ? [2, 3] : [])
    for (bin, point) in zip(series.bins.bins, points) {
      picture.line(
        point.x, Self.y(bin.interval.upperBound, top), point.x,
        Self.y(bin.interval.lowerBound, top), color: Self.colors[index], width: 1.2)
      mark(index, point.x, point.y, &picture)
    }
  }

  private func mark(_ index: Int, _ x: Double, _ y: Double, _ picture: inout Drawing) {
    switch index {
    case 0: picture.circle(x, y, radius: 3.6, fill: "#FFFFFF", stroke: Self.colors[0])
    case 1: picture.circle(x, y, radius: 4, fill: Self.colors[1])
    default:
      picture.rectangle(x - 3.6, y - 3.6, width: 7.2, height: 7.2, fill: Self.colors[2])
    }
  }

  /// Draws a histogram of the numbers of judgements, with the highest number beside it.
  private func drawCounts(
    _ series: Series, at index: Int, _ picture: inout Drawing, top: Double
  ) {
    let bottom = top + Self.barHeight
    let most = series.histogram.bins.map(\.count).max() ?? 0
    for bin in series.histogram.bins {
      let (from, to) = (Self.x(bin.range.lowerBound), Self.x(bin.range.upperBound))
      let height = Self.barHeight * Double(bin.count) / Double(max(1, most))
      picture.rectangle(
        from + 0.5, bottom - height, width: max(1, to - from - 1), height: height,
        fill: Self.colors[index])
    }
    picture.line(Self.left, bottom, Self.left + Self.side, bottom, color: "#888888")
    picture.text("\(most)", Self.left - 8, top + 10, size: 11, anchor: .end, color: Self.quiet)
    picture.text("0", Self.left - 8, bottom, size: 11, anchor: .end, color: Self.quiet)
    picture.text(
      "number of judgements: \(series.name)", Self.left + Self.side, top - 4, size: 11,
      anchor: .end,
      color: Self.quiet)
  }
}
