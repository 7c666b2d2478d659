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

  @Test func nothingToDrawIsDrawnToo() {
    let odd = LinePlot(
      "odd", xTitle: "x",
      panels: [
        .init("nothing", [.init("none", [.init(.nan, .infinity)])]),
        .init("negative", [.init("below", [.init(1, -1), .init(2, 0)])], scale: .logarithmic),
      ])
    #expect(odd.svg.hasSuffix("</svg>\n"))
  }
}
