import DeepfakeCore

/// Soft colour histograms: 4 bins of luma by 16 by 16 bins of the two chroma components.
enum ColorHistogram {
  private static let (lumaBins, chromaBins) = (4, 16)
  /// Chroma beyond this value, in levels of 0 to 255, falls into the outermost bins.
  private static let chromaLimit: Float = 40

  /// The square roots of the bins' fractions, over the places inside the frame; nil if fewer than a
  /// quarter of the places are.
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

  /// Distributes a pixel over the 8 bins nearest to its colour.
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

  /// For a value in 0...1, the lower of the two bins nearest to it, and its position between their
  /// centres.
  private static func place(_ value: Float, _ bins: Int) -> (bin: Int, fraction: Float) {
    let scaled = min(max(value, 0), 1) * Float(bins - 1)
    let bin = min(Int(scaled), bins - 2)
    return (bin, scaled - Float(bin))
  }
}
