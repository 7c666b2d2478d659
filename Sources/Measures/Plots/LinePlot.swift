/// Line charts in one or several panels below each other, with a common horizontal axis.
///
/// It is meant for curves of training and evaluation. Each line is named at its end. The colours
/// are those of Okabe and Ito (2008), which people with any kind of colour vision can distinguish;
/// lines also differ in their dashes.
package struct LinePlot: Sendable {
  /// A point of a line.
  package struct Point: Sendable, Equatable {
    /// The horizontal value.
    package var x: Double
    /// The vertical value. The line has a gap if it is not finite.
    package var y: Double

    /// Creates a point.
    package init(_ x: Double, _ y: Double) {
      self.x = x
      self.y = y
    }
  }

  /// One line.
  package struct Series: Sendable {
    /// The name, written at the line's end or in the legend.
    package var name: String
    /// The points, by rising x.
    package var points: [Point]
    /// Whether the line is a step function: constant up to the next point, where it jumps.
    package var isStepped: Bool
    /// The index of its colour and dashes, modulo their number; nil: its index in the panel.
    package var style: Int?

    /// Creates a line.
    package init(_ name: String, _ points: [Point], isStepped: Bool = false, style: Int? = nil) {
      self.name = name
      self.points = points
      self.style = style
      self.isStepped = isStepped
    }
  }

  /// A highlighted point with a label.
  package struct Mark: Sendable {
    /// The position of the mark.
    package var point: Point
    /// The text beside the mark.
    package var label: String

    /// Creates a mark.
    package init(_ point: Point, _ label: String) {
      self.point = point
      self.label = label
    }
  }

  /// The scale of the vertical axis.
  package enum Scale: Sendable {
    /// A linear scale; it includes `covering` even if no value lies there.
    case linear(covering: ClosedRange<Double>? = nil)
    /// A logarithmic scale; values that are not positive are left out.
    case logarithmic
  }

  /// How the lines of a panel are named.
  package enum Naming: Sendable {
    /// At the end of each line, with its last value.
    case direct
    /// In a legend above the panel, for lines that end close together.
    case legend
  }

  /// Lines with a common vertical axis.
  package struct Panel: Sendable {
    /// The title of the vertical axis, written above the panel.
    package var title: String
    /// The lines.
    package var series: [Series]
    /// The highlighted points.
    package var marks: [Mark] = []
    /// The scale of the vertical axis.
    package var scale: Scale
    /// How lines are named.
    package var naming: Naming = .direct
    /// The height of the plotting area.
    package var height: Double

    /// Creates a panel.
    package init(
      _ title: String, _ series: [Series], scale: Scale = .linear(), height: Double = 220
    ) {
      self.title = title
      self.series = series
      self.scale = scale
      self.height = height
    }
  }

  /// The heading of the plot.
  package var title: String
  /// A smaller line below the title; empty for none.
  package var subtitle: String = ""
  /// The title of the horizontal axis.
  package var xTitle: String
  /// Whether the ticks of the horizontal axis are whole numbers, such as epochs.
  package var hasWholeX = true
  /// The panels, top to bottom.
  package var panels: [Panel]
  /// The width of the picture.
  package var width: Double = 820

  /// Creates a plot.
  package init(_ title: String, xTitle: String, panels: [Panel]) {
    self.title = title
    self.xTitle = xTitle
    self.panels = panels
  }

  /// The colours of lines, in order.
  package static let colors = [
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#7A5C00", "#56B4E9", "#000000",
  ]
  /// The dashes of lines, in order; empty for a solid line.
  static let dashes: [[Double]] = [[], [7, 4], [2, 3], [10, 3, 2, 3], [5, 2], [1, 2], []]

  /// The colour of the line at `index` of a panel.
  static func color(_ series: Series, at index: Int) -> String {
    colors[(series.style ?? index) % colors.count]
  }

  /// The dashes of the line at `index` of a panel.
  static func dash(_ series: Series, at index: Int) -> [Double] {
    dashes[(series.style ?? index) % dashes.count]
  }
}
