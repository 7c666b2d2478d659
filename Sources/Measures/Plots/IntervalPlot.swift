/// Values with their intervals, one row per value, as SVG or pixels.
package struct IntervalPlot: Plot, Sendable {
  /// One value.
  package struct Row: Sendable {
    /// The row's label.
    package var name: String
    /// A note beside the row, such as the number of cases.
    package var note: String
    /// The value and its interval; an empty row if the value is not finite.
    package var figure: MetricFigures.Figure

    package init(_ name: String, note: String = "", _ figure: MetricFigures.Figure) {
      self.name = name
      self.note = note
      self.figure = figure
    }
  }

  /// Rows under a common title.
  package struct Group: Sendable {
    /// The title above the rows.
    package var title: String
    /// The rows, from the top.
    package var rows: [Row]

    /// Creates a group.
    package init(_ title: String, _ rows: [Row]) {
      self.title = title
      self.rows = rows
    }
  }

  /// The heading of the plot.
  package var title: String
  /// The title of the horizontal axis.
  package var axis: String
  /// The groups, from the top.
  package var groups: [Group]
  /// A value for comparison, drawn as a dashed vertical line; nil: none.
  package var reference: Double?

  /// Creates a plot.
  package init(_ title: String, axis: String, _ groups: [Group]) {
    self.title = title
    self.axis = axis
    self.groups = groups
  }

  private static let quiet = "#666666"
  private static let color = "#0072B2"
  private static let step = 24.0

  /// The plot as a picture.
  package var drawing: Drawing {
    var picture = Drawing()
    picture.text(title, 16, 30, size: 16, isBold: true)
    let rows = groups.flatMap(\.rows)
    let names = rows.map { Drawing.width($0.name, size: 12) }.max() ?? 0
    let notes = rows.map { Drawing.width($0.note, size: 11) }.max() ?? 0
    let left = max(90, names + 40)
    let right = left + 460
    var values = rows.flatMap { row in
      [row.figure.value] + (row.figure.interval.map { [$0.lowerBound, $0.upperBound] } ?? [])
    }.filter(\.isFinite)
    if let reference { values.append(reference) }
    let ticks = AxisTicks(linear: (values.min() ?? 0)...(values.max() ?? 1))
    func x(_ value: Double) -> Double {
      let range = ticks.range
      return left + (right - left) * (value - range.lowerBound)
        / max(range.upperBound - range.lowerBound, 1e-12)
    }
    let top = 56.0
    let height =
      groups.reduce(0) { $0 + Double($1.rows.count) * Self.step + 34 }
    for (value, label) in zip(ticks.values, ticks.labels) {
      picture.line(x(value), top, x(value), top + height, color: "#E4E4E4")
      picture.text(
        label, x(value), top + height + 16, size: 11, anchor: .middle, color: Self.quiet)
    }
    if let reference {
      picture.path(
        [[(x(reference), top), (x(reference), top + height)]], color: "#444444", width: 1.2,
        dash: [5, 4])
    }
    var y = top + 6
    for group in groups {
      y += 14
      picture.text(group.title, 16, y, isBold: true)
      for row in group.rows {
        y += Self.step
        picture.text(row.name, left - 14, y, anchor: .end)
        picture.text(row.note, right + 12, y, size: 11, color: Self.quiet)
        guard row.figure.value.isFinite else { continue }
        if let interval = row.figure.interval {
          picture.line(
            x(interval.lowerBound), y - 4, x(interval.upperBound), y - 4, color: Self.color,
            width: 2)
        }
        picture.circle(x(row.figure.value), y - 4, radius: 4.5, fill: Self.color)
      }
      y += 20
    }
    picture.text(axis, (left + right) / 2, top + height + 36, anchor: .middle)
    picture.size = (right + max(26, notes + 26), top + height + 52)
    return picture
  }
}
