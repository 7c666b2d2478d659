/// Lines over a common horizontal axis in one or several panels below each other, drawn as SVG.
///
/// Made for curves of training and of evaluation: each line is named where it ends, colours are those of
/// Okabe and Ito (2008), which people with any kind of colour vision can tell apart, and lines differ in
/// their dashes as well.
public struct LinePlot: Sendable {
  /// One point.
  public struct Point: Sendable, Equatable {
    /// The horizontal value.
    public var x: Double
    /// The vertical value; where it is not finite, the line has a gap.
    public var y: Double

    /// A point.
    public init(_ x: Double, _ y: Double) {
      self.x = x
      self.y = y
    }
  }

  /// One line.
  public struct Series: Sendable {
    /// The name, written where the line ends.
    public var name: String
    /// The points, by rising x.
    public var points: [Point]
    /// Whether the line stays level up to the next point and then jumps.
    public var isStepped: Bool
    /// Which of `colors` and dashes it has, counted round; its place in the panel if nil.
    public var style: Int?

    /// A line.
    public init(_ name: String, _ points: [Point], isStepped: Bool = false, style: Int? = nil) {
      self.name = name
      self.points = points
      self.style = style
      self.isStepped = isStepped
    }
  }

  /// A point that is pointed out.
  public struct Mark: Sendable {
    /// Where.
    public var point: Point
    /// What is written beside it.
    public var label: String

    /// A mark.
    public init(_ point: Point, _ label: String) {
      self.point = point
      self.label = label
    }
  }

  /// How values are laid out along an axis.
  public enum Scale: Sendable {
    /// Evenly. Where given, the range is covered whatever the values are.
    case linear(covering: ClosedRange<Double>? = nil)
    /// By their logarithm; values that are not positive are left out.
    case logarithmic
  }

  /// How lines are named.
  public enum Naming: Sendable {
    /// Each where it ends, with its last value.
    case direct
    /// In a row above the panel, for lines that end in one place.
    case legend
  }

  /// Lines with a common vertical axis.
  public struct Panel: Sendable {
    /// What the vertical axis shows, written above.
    public var title: String
    /// The lines.
    public var series: [Series]
    /// Points that are pointed out.
    public var marks: [Mark] = []
    /// The vertical axis.
    public var scale: Scale
    /// How lines are named.
    public var naming: Naming = .direct
    /// The height of the area that is drawn in.
    public var height: Double

    /// A panel.
    public init(
      _ title: String, _ series: [Series], scale: Scale = .linear(), height: Double = 220
    ) {
      self.title = title
      self.series = series
      self.scale = scale
      self.height = height
    }
  }

  /// Above everything.
  public var title: String
  /// Below the title, smaller.
  public var subtitle: String = ""
  /// What the horizontal axis shows.
  public var xTitle: String
  /// Whether the horizontal axis counts whole things.
  public var hasWholeX = true
  /// The panels, top to bottom.
  public var panels: [Panel]
  /// The width of the picture.
  public var width: Double = 820

  /// A plot.
  public init(_ title: String, xTitle: String, panels: [Panel]) {
    self.title = title
    self.xTitle = xTitle
    self.panels = panels
  }

  /// The colours of lines, in order.
  public static let colors = [
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
