import Foundation

extension LinePlot {
  /// The plotting area of a panel, which maps values to positions.
  struct Frame {
    var left: Double
    var right: Double
    var top: Double
    var bottom: Double
    var x: ClosedRange<Double>
    var y: AxisTicks
    var isLogarithmic = false

    func place(x value: Double) -> Double {
      left + (right - left) * part(value, x)
    }

    func place(y value: Double) -> Double {
      guard isLogarithmic else { return bottom - (bottom - top) * part(value, y.range) }
      let range = log(y.range.lowerBound)...log(y.range.upperBound)
      return bottom - (bottom - top) * part(log(value), range)
    }

    func holds(_ point: Point) -> Bool {
      x.contains(point.x) && y.range.contains(point.y)
    }

    /// The line's points in the picture, split where it has gaps.
    func runs(of series: Series) -> [[(x: Double, y: Double)]] {
      var runs: [[(x: Double, y: Double)]] = [[]]
      for point in series.points {
        guard point.x.isFinite, point.y.isFinite, point.y > 0 || !isLogarithmic else {
          if runs[runs.count - 1].isEmpty == false { runs.append([]) }
          continue
        }
        let place = (x: place(x: point.x), y: place(y: point.y))
        if series.isStepped, let last = runs[runs.count - 1].last {
          runs[runs.count - 1].append((place.x, last.y))
        }
        runs[runs.count - 1].append(place)
      }
      return runs.filter { !$0.isEmpty }
    }

    private func part(_ value: Double, _ range: ClosedRange<Double>) -> Double {
      let extent = range.upperBound - range.lowerBound
      return extent > 0 ? (value - range.lowerBound) / extent : 0.5
    }
  }
}
