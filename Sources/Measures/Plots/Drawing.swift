/// A diagram that can be drawn.
package protocol Plot {
  /// The plot as shapes, for output as SVG or pixels.
  var drawing: Drawing { get }
}

extension Plot {
  /// The picture as the text of an SVG file.
  package var svg: String { drawing.svg }
}

/// A picture composed of elements, for output as SVG or pixels.
package struct Drawing: Sendable {
  /// The position of a text's reference point: at its start, middle or end.
  enum Anchor: String {
    case start, middle, end
  }

  /// A point in the picture, in the picture's units (pixels of an SVG).
  typealias Place = (x: Double, y: Double)

  enum Element {
    case path([[Place]], color: String, width: Double, dash: [Double])
    case rectangle(x: Double, y: Double, width: Double, height: Double, fill: String)
    case circle(Place, radius: Double, fill: String, stroke: String?)
    case text(
      String, Place, size: Double, anchor: Anchor, color: String, isBold: Bool, hasRim: Bool)
  }

  private(set) var elements: [Element] = []
  /// The picture's size. Anything outside is clipped.
  package var size: (width: Double, height: Double) = (0, 0)

  mutating func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, color: String, width: Double = 1
  ) {
    elements.append(.path([[(x1, y1), (x2, y2)]], color: color, width: width, dash: []))
  }

  mutating func path(
    _ runs: [[Place]], color: String, width: Double = 2, dash: [Double] = []
  ) {
    guard runs.contains(where: { !$0.isEmpty }) else { return }
    elements.append(.path(runs, color: color, width: width, dash: dash))
  }

  mutating func rectangle(_ x: Double, _ y: Double, width: Double, height: Double, fill: String) {
    elements.append(.rectangle(x: x, y: y, width: width, height: height, fill: fill))
  }

  mutating func circle(
    _ x: Double, _ y: Double, radius: Double, fill: String, stroke: String? = nil
  ) {
    elements.append(.circle((x, y), radius: radius, fill: fill, stroke: stroke))
  }

  /// Adds text with its reference point at (x, y). A white rim keeps it readable where it crosses a
  /// line.
  mutating func text(
    _ text: String, _ x: Double, _ y: Double, size: Double = 12, anchor: Anchor = .start,
    color: String = "#333333", isBold: Bool = false, hasRim: Bool = false
  ) {
    elements.append(
      .text(
        text, (x, y), size: size, anchor: anchor, color: color, isBold: isBold, hasRim: hasRim))
  }

  /// The approximate width of the text.
  static func width(_ text: String, size: Double) -> Double {
    Double(text.count) * size * 0.56
  }
}
