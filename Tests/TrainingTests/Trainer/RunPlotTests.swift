import Foundation
import Measures
import Testing
import Training

@Suite struct RunPlotTests {
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

  @Test func aRunWithoutEpochsIsDrawnToo() {
    #expect(LinePlot("", run: []).svg.hasSuffix("</svg>\n"))
  }
}
