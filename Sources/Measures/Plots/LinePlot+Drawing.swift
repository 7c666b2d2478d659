extension LinePlot: Plot {
  /// The plot as a picture.
  package var drawing: Drawing {
    var picture = Drawing()
    let left = 64.0
    let right = width - labelRoom
    var y = 30.0
    picture.text(title, 16, y, size: 17, isBold: true)
    if !subtitle.isEmpty {
      y += 20
      picture.text(subtitle, 16, y, size: 12, color: Self.quiet)
    }
    y += 18
    let xTicks = self.xTicks
    for (index, panel) in panels.enumerated() {
      y += 22
      picture.text(panel.title, 16, y, size: 13, isBold: true)
      if panel.naming == .legend {
        let legend = panel.series.reduce(0) {
          $0 + 46 + Drawing.width($1.name, size: Self.labelSize)
        }
        // The legend goes below the title if there is no room beside it.
        if 16 + Drawing.width(panel.title, size: 13) + legend > right { y += 20 }
        drawLegend(panel, &picture, y: y, right: right)
      }
      y += 12
      let frame = Frame(
        left: left, right: right, top: y, bottom: y + panel.height, x: xTicks.range, y: panel.ticks,
        isLogarithmic: panel.isLogarithmic)
      draw(panel, in: frame, xTicks, isLast: index == panels.count - 1, &picture)
      y = frame.bottom + 12
    }
    y += 30
    picture.text(xTitle, (left + right) / 2, y, size: 12, anchor: .middle)
    picture.size = (width, y + 16)
    return picture
  }

  private static let quiet = "#666666"
  private static let grid = "#E4E4E4"
  private static let labelSize = 12.0

  /// The width reserved on the right for the lines' names.
  private var labelRoom: Double {
    let longest = panels.filter { $0.naming == .direct }.flatMap { panel in
      panel.series.map { Drawing.width(Self.endLabel($0), size: Self.labelSize) }
    }.max()
    return max(24, (longest ?? 0) + 22)
  }

  private var xTicks: AxisTicks {
    let values = panels.flatMap { $0.series.flatMap { $0.points.map(\.x) } }.filter(\.isFinite)
    guard let low = values.min(), let high = values.max() else {
      return AxisTicks(linear: 0...1, whole: hasWholeX)
    }
    // A single point is placed in the middle.
    if low == high, hasWholeX {
      return AxisTicks(linear: low - 1...high + 1, count: 2, whole: true, widened: false)
    }
    return AxisTicks(linear: low...high, count: 10, whole: hasWholeX, widened: false)
  }

  private static func endLabel(_ series: Series) -> String {
    guard let last = series.points.last(where: { $0.y.isFinite }) else { return series.name }
    return "\(series.name) \(AxisTicks.plain(last.y))"
  }

  private func draw(
    _ panel: Panel, in frame: Frame, _ xTicks: AxisTicks, isLast: Bool, _ picture: inout Drawing
  ) {
    for (value, label) in zip(frame.y.values, frame.y.labels) {
      let y = frame.place(y: value)
      picture.line(frame.left, y, frame.right, y, color: Self.grid)
      picture.text(label, frame.left - 8, y + 4, size: 11, anchor: .end, color: Self.quiet)
    }
    picture.line(frame.left, frame.bottom, frame.right, frame.bottom, color: "#888888")
    for (value, label) in zip(xTicks.values, xTicks.labels) {
      let x = frame.place(x: value)
      picture.line(x, frame.bottom, x, frame.bottom + 4, color: "#888888")
      if isLast {
        picture.text(
          label, x, frame.bottom + 18, size: 11, anchor: .middle, color: Self.quiet)
      }
    }
    for (index, series) in panel.series.enumerated() {
      let color = Self.color(series, at: index)
      let runs = frame.runs(of: series)
      picture.path(runs, color: color, dash: Self.dash(series, at: index))
      // Points are drawn as dots if there are few; a line of a single point would be invisible.
      let isSparse = runs.reduce(0) { $0 + $1.count } <= 40 && !series.isStepped
      for run in runs where isSparse || run.count == 1 {
        for point in run { picture.circle(point.x, point.y, radius: 2.4, fill: color) }
      }
    }
    for mark in panel.marks where frame.holds(mark.point) {
      let (x, y) = (frame.place(x: mark.point.x), frame.place(y: mark.point.y))
      picture.circle(x, y, radius: 5, fill: "none", stroke: "#333333")
      let above = y - 10 > frame.top + 8
      let isFarRight = x > frame.right - Drawing.width(mark.label, size: 11) / 2
      picture.text(
        mark.label, x, above ? y - 10 : y + 18, size: 11, anchor: isFarRight ? .end : .middle,
        hasRim: true)
    }
    if panel.naming == .direct { drawEndLabels(panel, in: frame, &picture) }
  }

  /// Draws the lines' names beside their ends, moved apart where they would overlap.
  private func drawEndLabels(_ panel: Panel, in frame: Frame, _ picture: inout Drawing) {
    var labels: [(y: Double, text: String, color: String)] = []
    for (index, series) in panel.series.enumerated() {
      guard let end = frame.runs(of: series).last?.last else { continue }
      labels.append((end.y, Self.endLabel(series), Self.color(series, at: index)))
    }
    labels.sort { $0.y < $1.y }
    let gap = Self.labelSize + 3
    for i in labels.indices.dropFirst() {
      labels[i].y = max(labels[i].y, labels[i - 1].y + gap)
    }
    // Labels pushed below the frame move up again and push the others.
    var limit = frame.bottom
    for i in labels.indices.reversed() {
      labels[i].y = min(labels[i].y, limit)
      limit = labels[i].y - gap
    }
    for label in labels {
      picture.text(
        label.text, frame.right + 10, label.y + 4, size: Self.labelSize, color: label.color)
    }
  }

  private func drawLegend(
    _ panel: Panel, _ picture: inout Drawing, y: Double, right: Double
  ) {
    var x = right
    for (index, series) in panel.series.enumerated().reversed() {
      let color = Self.color(series, at: index)
      x -= Drawing.width(series.name, size: Self.labelSize)
      picture.text(series.name, x, y, size: Self.labelSize, color: color)
      picture.path(
        [[(x - 30, y - 4), (x - 6, y - 4)]], color: color,
        dash: Self.dash(series, at: index))
      x -= 46
    }
  }
}

extension LinePlot.Panel {
  fileprivate var ticks: AxisTicks {
    let values = series.flatMap { $0.points.map(\.y) }.filter(\.isFinite)
    switch scale {
    case .linear(let covering):
      let low = [values.min(), covering?.lowerBound].compactMap { $0 }.min() ?? 0
      let high = [values.max(), covering?.upperBound].compactMap { $0 }.max() ?? 1
      return AxisTicks(linear: low...high, count: max(2, Int(height / 45)))
    case .logarithmic:
      let positive = values.filter { $0 > 0 }
      return AxisTicks(logarithmic: (positive.min() ?? 1)...(positive.max() ?? 1))
    }
  }

  fileprivate var isLogarithmic: Bool {
    if case .logarithmic = scale { true } else { false }
  }
}
