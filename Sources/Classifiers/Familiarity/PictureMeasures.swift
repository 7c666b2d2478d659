import DeepfakeCore

extension TraitValues {
  /// An image with a mean chroma below this is grey; rounding and compression leave a little chroma
  /// in grey images.
  package static let greyChroma: Float = 1
  /// How much a pixel must differ from its neighbours to be a speckle, out of 255.
  static let speckleStep: Float = 4
  /// The side, in pixels, of the grid on which colours are counted.
  static let colorGrid = 64

  /// Measures all traits of a crop except the features.
  ///
  /// - Parameters:
  ///   - crop: The crop as it was cut from the frame.
  ///   - fitted: The crop at the network's size.
  ///   - side: The crop's side in the frame, in pixels, if it was scaled afterwards; nil: the
  ///     longer side of `crop`.
  package init(picture crop: Image, fitted: Image, side: Int? = nil) {
    self.init(picture: crop, side: side)
    self[.sharpness] = fitted.laplacianVariance
  }

  /// Measures the traits that do not depend on the network: all except the features and the
  /// sharpness.
  ///
  /// - Parameter sides: The sides of the crops in the frame, in pixels, if the crops were scaled
  ///   afterwards; empty: the crops' own sides.
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
  /// The variance of the Laplacian (four neighbours) of the luma, over the pixels that have four
  /// neighbours; 0 if there are none.
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

  /// The mean distance of the pixels from grey in the plane of Cb and Cr (as in JPEG), 0 to 181.
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

  /// The number of different colours among `side` times `side` pixels on an even grid.
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

  /// The fraction of pixels whose luma is above, or below, that of all four neighbours by more than
  /// `step`, among the pixels that have four neighbours; 0 if there are none.
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
