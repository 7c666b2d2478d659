import Measures

extension LinePlot {
  /// The curves of a run over its epochs: losses, their terms, AUC and learning rate.
  package init(_ title: String, subtitle: String = "", run epochs: [EpochMetrics]) {
    func line(_ value: (EpochMetrics) -> Double?) -> [Point] {
      epochs.map { Point(Double($0.epoch), value($0) ?? .nan) }
    }
    func isDrawn(_ points: [Point]) -> Bool { points.contains { $0.y.isFinite } }
    var losses = [Series("training", line(\.loss), style: 0)]
    let frames = line { $0.frames?.logLoss }
    let videos = line { $0.videos?.logLoss }
    if isDrawn(frames) { losses.append(Series("frames", frames, style: 1)) }
    if isDrawn(videos) { losses.append(Series("videos", videos, style: 2)) }
    var loss = Panel("loss (validation: log loss)", losses, scale: .linear(covering: 0...0.7))
    if let best = epochs.last(where: { $0.isBest && $0.frames != nil }), let value = best.frames {
      loss.marks = [
        Mark(
          Point(Double(best.epoch), value.logLoss),
          "best \(AxisTicks.plain(value.logLoss)), epoch \(best.epoch)")
      ]
    }
    var panels = [loss]
    let parts = (epochs.first?.parts ?? []).enumerated().map { place, part in
      Series(part.name, line { $0.parts.flatMap { $0.indices ~= place ? $0[place].mean : nil } })
    }
    if !parts.isEmpty {
      panels.append(Panel("parts of the loss", parts, scale: .logarithmic))
    }
    let areas = [
      Series("frames", line { $0.frames?.auc }, style: 1),
      Series("videos", line { $0.videos?.auc }, style: 2),
    ].filter { isDrawn($0.points) }
    if !areas.isEmpty {
      panels.append(
        Panel("AUC on the validation part", areas, scale: .linear(covering: 0.5...1), height: 140))
    }
    panels.append(
      Panel(
        "learning rate", [Series("", line { Double($0.learningRate) }, isStepped: true, style: 0)],
        scale: .logarithmic, height: 70))
    self.init(title, xTitle: "epoch", panels: panels)
    self.subtitle = subtitle
  }
}
