/// Lines over a common horizontal axis in one or several panels below each other, drawn as SVG.
///
/// Made for curves of training and of evaluation: each line is named where it ends, colours are
/// those of Okabe and Ito (2008), which people with any kind of colour vision can tell apart, and
/// lines differ in their dashes as well.
package struct LinePlot: Sendable {
  /// One point.
  package struct Point: Sendable, Equatable {
    /// The horizontal value.
    package var x: Double
    /// The vertical value; where it is not finite, the line has a gap.
    package var y: Double

    /// A point.
    package init(_ x: Double, _ y: Double) {
      self.x = x
      self.y = y
    }
  }

  /// One line.
  package struct Series: Sendable {
    /// The name, written where the line ends.
    package var name: String
    /// The points, by rising x.
    package var points: [Point]
    /// Whether the line stays level up to the next point and then jumps.
    package var isStepped: Bool
    /// Which of `colors` and dashes it has, counted round; its place in the panel if nil.
    package var style: Int?

    /// A line.
    package init(_ name: String, _ points: [Point], isStepped: Bool = false, style: Int? = nil) {
      self.name = name
      self.points = points
      self.style = style
      self.isStepped = isStepped
    }
  }

  /// A point that is pointed out.
  package struct Mark: Sendable {
    /// Where.
    package var point: Point
    /// What is written beside it.
    package var label: String

    /// A mark.
    package init(_ point: Point, _ label: String) {
      self.point = point
      self.label = label
    }
  }

  /// How values are laid out along an axis.
  package enum Scale: Sendable {
    /// Evenly. Where given, the range is covered whatever the values are.
    case linear(covering: ClosedRange<Double>? = nil)
    /// By their logarithm; values that are not positive are left out.
    case logarithmic
  }

  /// How lines are named.
  package enum Naming: Sendable {
    /// Each where it ends, with its last value.
    case direct
    /// In a row above the panel, for lines that end in one place.
    case legend
  }

  /// Lines with a common vertical axis.
  package struct Panel: Sendable {
    /// What the vertical axis shows, written above.
    package var title: String
    /// The lines.
    package var series: [Series]
    /// Points that are pointed out.
    package var marks: [Mark] = []
    /// The vertical axis.
    package var scale: Scale
    /// How lines are named.
    package var naming: Naming = .direct
    /// The height of the area that is drawn in.
    package var height: Double

    /// A panel.
    package init(
      _ title: String, _ series: [Series], scale: Scale = .linear(), height: Double = 220
    ) {
      self.title = title
      self.series = series
      self.scale = scale
      self.height = height
    }
  }

  /// Above everything.
  package var title: String
  /// Below the title, smaller.
  package var subtitle: String = ""
  /// What the horizontal axis shows.
  package var xTitle: String
  /// Whether the horizontal axis counts whole things.
  package var hasWholeX = true
  /// The panels, top to bottom.
  package var panels: [Panel]
  /// The width of the picture.
  package var width: Double = 820

  /// A plot.
  package init(_ title: String, xTitle: String, panels: [Panel]) {
    self.title = title
    self.xTitle = xTitle
    self.panels = panels
  }

  /// The colours of lines, in order.
  package static let colors = [
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#7A5C00", "#56B4E9", "#000000",
  ]
  /// The dashes of lines, in order; empty is solid.
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
