import DeepfakeCore

extension TraitValues {
  /// The mean chroma below which a picture counts as grey: rounding and compression leave that much
  /// in one.
  package static let greyChroma: Float = 1
  /// How much a pixel must differ from its neighbours to count as a speckle, of 255.
  static let speckleStep: Float = 4
  /// Pixels on a side of the grid on which colours are counted.
  static let colorGrid = 64

  /// What a crop is like as a picture: all traits but the features.
  ///
  /// - Parameters:
  ///   - crop: the crop as it was cut.
  ///   - fitted: the crop at the network's size.
  ///   - side: the crop's side in pixels of the frame, where it was scaled since; the crop's own if
  ///     nil.
  package init(picture crop: Image, fitted: Image, side: Int? = nil) {
    self.init(picture: crop, side: side)
    self[.sharpness] = fitted.laplacianVariance
  }

  /// What each crop is like whatever the network: all traits but the features and the sharpness.
  ///
  /// - Parameter sides: the crops' sides in pixels of the frame, where they were scaled since;
  ///   their own if empty.
  package static func pictures(_ crops: [Image], sides: [Int] = []) -> [TraitValues] {
    precondition(
      sides.isEmpty || sides.count == crops.count,
      "TraitValues: \(sides.count) sides for \(crops.count) crops")
    return Parallel.map(crops.count) { place in
      TraitValues(picture: crops[place], side: sides.isEmpty ? nil : sides[place])
    }
  }

  private init(picture crop: Image, side: Int?) {
    self.init()
    let chroma = crop.meanChroma
    self[.size] = Float(side ?? max(crop.width, crop.height))
    self[.chroma] = chroma
    if chroma >= Self.greyChroma { self[.colors] = Float(crop.colorsOnGrid(Self.colorGrid)) }
    self[.speckle] = crop.speckle(step: Self.speckleStep)
  }
}

extension Image {
  /// The variance of the Laplacian (four neighbours) of the luma, over the pixels that have all
  /// four; 0 for pictures without any.
  package var laplacianVariance: Float {
    guard width > 2, height > 2 else { return 0 }
    let (luma, width) = (luma, width)
    var (sum, squares) = (0.0, 0.0)
    luma.withUnsafeBufferPointer { luma in
      for y in 1..<height - 1 {
        for i in y * width + 1..<(y + 1) * width - 1 {
          let value = Double(
            4 * luma[i] - luma[i - 1] - luma[i + 1] - luma[i - width] - luma[i + width])
          sum += value
          squares += value * value
        }
      }
    }
    let count = Double((width - 2) * (height - 2))
    return Float(max(0, squares / count - sum / count * (sum / count)))
  }

  /// The mean distance from grey in the plane of Cb and Cr (JPEG's), 0 to 181.
  package var meanChroma: Float {
    var sum = 0.0
    pixels.withUnsafeBufferPointer { pixels in
      for i in stride(from: 0, to: pixels.count, by: 3) {
        let (red, green, blue) = (Float(pixels[i]), Float(pixels[i + 1]), Float(pixels[i + 2]))
        let luma = 0.299 * red + 0.587 * green + 0.114 * blue
        let (cb, cr) = (0.564 * (blue - luma), 0.713 * (red - luma))
        sum += Double((cb * cb + cr * cr).squareRoot())
      }
    }
    return Float(sum / Double(width * height))
  }

  /// Different colours among `side` times `side` pixels at even distances.
  package func colorsOnGrid(_ side: Int) -> Int {
    var colors: Set<UInt32> = []
    colors.reserveCapacity(side * side)
    for row in 0..<side {
      let y = (2 * row + 1) * height / (2 * side)
      for column in 0..<side {
        let i = 3 * (y * width + (2 * column + 1) * width / (2 * side))
        colors.insert(
          UInt32(pixels[i]) << 16 | UInt32(pixels[i + 1]) << 8 | UInt32(pixels[i + 2]))
      }
    }
    return colors.count
  }

  /// The share of pixels whose luma is above that of all four neighbours, or below, by more than
  /// `step`; of those that have four.
  package func speckle(step: Float) -> Float {
    guard width > 2, height > 2 else { return 0 }
    let (luma, width) = (luma, width)
    var count = 0
    luma.withUnsafeBufferPointer { luma in
      for y in 1..<height - 1 {
        for i in y * width + 1..<(y + 1) * width - 1 {
          let (least, most) = (
            min(luma[i - 1], luma[i + 1], luma[i - width], luma[i + width]),
            max(luma[i - 1], luma[i + 1], luma[i - width], luma[i + width])
          )
          if luma[i] - most > step || least - luma[i] > step { count += 1 }
        }
      }
    }
    return Float(count) / Float((width - 2) * (height - 2))
  }
}
