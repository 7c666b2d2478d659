import Measures

/// A person's frame scores over time as an SVG plot. Its colours come from the page's style.
struct ScoreTimeline {
  private let person: VideoExplanation.Person
  private let undecided: ClosedRange<Float>?

  private static let width = 720.0
  private static let height = 260.0
  private static let left = 44.0
  private static let right = 712.0
  private static let top = 10.0
  private static let bottom = 225.0

  init(_ person: VideoExplanation.Person, _ undecided: ClosedRange<Float>?) {
    self.person = person
    self.undecided = undecided
  }

  /// The SVG element, for use inside a page.
  var svg: String {
    let times = person.scores.map(\.time)
    let (first, last) = (times.min() ?? 0, times.max() ?? 0)
    func x(_ time: Double) -> Double {
      last > first
        ? Self.left + 10 + (Self.right - Self.left - 20) * (time - first) / (last - first)
        : (Self.left + Self.right) / 2
    }
    var body = ""
    func rectangle(_ kind: String, _ left: Double, _ top: Double, _ right: Double, _ bottom: Double)
    {
      body +=
        "<rect class=\"\(kind)\" x=\"\(n(left))\" y=\"\(n(top))\""
        + " width=\"\(n(max(2, right - left)))\""
        + " height=\"\(n(bottom - top))\"/>"
    }
    if let undecided {
      rectangle(
        "band", Self.left, y(undecided.upperBound), Self.right, y(undecided.lowerBound))
    }
    for span in person.report.fakeSpans {
      rectangle("span", x(span.from) - 4, Self.top, x(span.to) + 4, Self.bottom)
    }
    for value in [Float(0), 0.5, 1] {
      body +=
        "<line class=\"\(value == 0.5 ? "half" : "grid")\" x1=\"\(n(Self.left))\""
        + " x2=\"\(n(Self.right))\""
        + " y1=\"\(n(y(value)))\" y2=\"\(n(y(value)))\"/>"
        + "<text x=\"\(n(Self.left - 6))\" y=\"\(n(y(value) + 5))\" text-anchor=\"end\">"
        + "\(value == 0.5 ? "0.5" : "\(Int(value))")</text>"
    }
    let points = person.scores.map { "\(n(x($0.time))) \(n(y($0.probability)))" }
    if points.count > 1 {
      body += "<path class=\"line\" d=\"M\(points.joined(separator: "L"))\"/>"
    }
    let driving = Set(person.driving.map(\.time))
    for score in person.scores {
      let isDriving = driving.contains(score.time)
      body +=
        "<circle"
        + " class=\"\(score.probability >= 0.5 ? "high" : "low")\(isDriving ? " driving" : "")\""
        + " cx=\"\(n(x(score.time)))\" cy=\"\(n(y(score.probability)))\""
        + " r=\"\(isDriving ? 5.5 : 3.2)\">"
        + "<title>\(score.time.fixed(1)) s: \(score.probability.fixed(2))</title></circle>"
    }
    for (time, anchor) in [(first, "start"), (last, "end")] where last > first || anchor == "start"
    {
      body +=
        "<text x=\"\(n(anchor == "start" ? Self.left : Self.right))\" y=\"\(n(Self.bottom + 26))\""
        + " text-anchor=\"\(anchor)\">\(time.fixed(1)) s</text>"
    }
    let label =
      "Probability of a fake in \(person.scores.count) judged frames of person"
      + " \(person.report.id), over time"
    return
      "<svg class=\"timeline\" viewBox=\"0 0 \(n(Self.width)) \(n(Self.height))\" role=\"img\""
      + " aria-label=\"\(label)\">\(body)</svg>"
  }

  private func y(_ probability: Float) -> Double {
    Self.bottom - (Self.bottom - Self.top) * Double(probability)
  }

  private func n(_ value: Double) -> String { Drawing.number(value) }
}
