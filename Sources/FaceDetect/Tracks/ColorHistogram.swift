import DeepfakeCore

/// Soft histograms of colour: 4 bins of brightness by 16 by 16 of the two differences of colour.
enum ColorHistogram {
  private static let (lumaBins, chromaBins) = (4, 16)
  /// The differences of colour beyond which all colours count alike, in levels.
  private static let chromaLimit: Float = 40

  /// Square roots of the shares of colours among the places that lie in the frame; nil where fewer
  /// than a quarter do.
  static func of(_ places: [(x: Int, y: Int)], in view: FaceView) -> [Float]? {
    var bins = [Float](repeating: 0, count: lumaBins * chromaBins * chromaBins)
    var count = 0
    for (x, y) in places where view.isInFrame(x: x, y: y) {
      add(view.image[x, y], to: &bins)
      count += 1
    }
    guard count * 4 >= places.count, count > 0 else { return nil }
    return bins.map { ($0 / Float(count)).squareRoot() }
  }

  /// Shares a pixel among the bins around its colour.
  private static func add(
    _ pixel: (red: UInt8, green: UInt8, blue: UInt8), to bins: inout [Float]
  ) {
    let (red, green, blue) = (Float(pixel.red), Float(pixel.green), Float(pixel.blue))
    let luma = 0.299 * red + 0.587 * green + 0.114 * blue
    let brightness = place(luma / 255, lumaBins)
    let first = place(0.5 + 0.564 * (blue - luma) / (2 * chromaLimit), chromaBins)
    let second = place(0.5 + 0.713 * (red - luma) / (2 * chromaLimit), chromaBins)
    for a in 0...1 {
      for b in 0...1 {
        for c in 0...1 {
          let share =
            (a == 0 ? 1 - brightness.fraction : brightness.fraction)
            * (b == 0 ? 1 - first.fraction : first.fraction)
            * (c == 0 ? 1 - second.fraction : second.fraction)
          let bin =
            ((brightness.bin + a) * chromaBins + first.bin + b) * chromaBins + second.bin + c
          bins[bin] += share
        }
      }
    }
  }

  /// The lower of the two bins between whose centres a value in 0...1 lies, and how far.
  private static func place(_ value: Float, _ bins: Int) -> (bin: Int, fraction: Float) {
    let scaled = min(max(value, 0), 1) * Float(bins - 1)
    let bin = min(Int(scaled), bins - 2)
    return (bin, scaled - Float(bin))
  }
}
