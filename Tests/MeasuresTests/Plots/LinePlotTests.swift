import Foundation
import Measures
import Testing

@Suite struct LinePlotTests {
  @Test(arguments: [
    (0.0...1.0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    (0.0...0.8, ["0.0", "0.2", "0.4", "0.6", "0.8"]),
    (-3.0...12.0, ["-5", "0", "5", "10", "15"]),
    (0.00012...0.00031, ["0.00010", "0.00015", "0.00020", "0.00025", "0.00030", "0.00035"]),
    (5.0...5.0, ["4.4", "4.6", "4.8", "5.0", "5.2", "5.4", "5.6"]),
  ])
  func ticksAreRound(_ range: ClosedRange<Double>, _ labels: [String]) {
    let ticks = AxisTicks(linear: range)
    #expect(ticks.labels == labels)
    #expect(ticks.range.lowerBound <= range.lowerBound)
    #expect(ticks.range.upperBound >= range.upperBound)
  }

  @Test func wholeTicksAreWhole() {
    let ticks = AxisTicks(linear: 1...4, count: 10, whole: true, widened: false)
    #expect(ticks.labels == ["1", "2", "3", "4"])
    #expect(
      AxisTicks(linear: 1...230, count: 10, whole: true).values.allSatisfy { $0 == $0.rounded() })
  }

  @Test func logarithmicTicksArePowersOfTen() {
    let ticks = AxisTicks(logarithmic: 0.00025...0.001)
    #expect(ticks.labels == ["0.0002", "0.0005", "0.001"])
    #expect(AxisTicks(logarithmic: 1e-8...1).labels.contains("1e-8"))
    #expect(AxisTicks(logarithmic: 0.1...0.1).range.contains(0.1))
  }

  @Test func oddRangesGiveSomeAxis() {
    for range in [-Double.infinity...0, 0...Double.infinity, 1e300...1e308, -1e-300...1e-300] {
      #expect(AxisTicks(linear: range).range.lowerBound < AxisTicks(linear: range).range.upperBound)
      #expect(AxisTicks(linear: range).values.count < 1000)
    }
  }

  private func row(_ epoch: Int, loss: Double, judged: Double?) -> EpochMetrics {
    EpochMetrics(
      epoch: epoch, part: judged == nil ? .validation : .training, steps: epoch * 10, seconds: 1,
      images: 10, learningRate: 0.001, loss: loss,
      frames: judged.map {
        .init(logLoss: $0, accuracy: 0.5, auc: 0.75, equalErrorRate: 0.25)
      }, videos: nil, isBest: judged == 0.5)
  }

  @Test func aRunsCurvesAreDrawn() throws {
    let rows = [
      row(1, loss: 0.7, judged: 0.6), row(2, loss: 0.5, judged: 0.5),
      row(3, loss: 0.4, judged: nil),
    ]
    let plot = LinePlot("a <b> & \"c\"", subtitle: "\u{1}", run: rows)
    let svg = plot.svg
    #expect(svg.contains("a &lt;b&gt; &amp; &quot;c&quot;"))
    #expect(!svg.unicodeScalars.contains("\u{1}"))
    #expect(svg.contains(">training 0.4<"))
    #expect(svg.contains(">best 0.5, epoch 2<"))
    #expect(svg.contains(LinePlot.colors[1]))
    // Elements close, and each path begins with a move.
    #expect(
      svg.components(separatedBy: "<text").count == svg.components(separatedBy: "</text>").count)
    for path in svg.components(separatedBy: " d=\"").dropFirst() { #expect(path.hasPrefix("M")) }
    #expect(!svg.contains("nan") && !svg.contains("inf"))
  }

  @Test func nothingToDrawIsDrawnToo() {
    #expect(LinePlot("", run: []).svg.hasSuffix("</svg>\n"))
    let odd = LinePlot(
      "odd", xTitle: "x",
      panels: [
        .init("nothing", [.init("none", [.init(.nan, .infinity)])]),
        .init("negative", [.init("below", [.init(1, -1), .init(2, 0)])], scale: .logarithmic),
      ])
    #expect(odd.svg.hasSuffix("</svg>\n"))
  }
}
