extension Image {
  /// The luma of each pixel (ITU-R BT.601), row by row, 0 to 255.
  package var luma: [Float] {
    pixels.withUnsafeBufferPointer { pixels in
      [Float](unsafeUninitializedCapacity: width * height) { target, count in
        for i in 0..<width * height {
          target[i] =
            0.299 * Float(pixels[3 * i]) + 0.587 * Float(pixels[3 * i + 1])
            + 0.114 * Float(pixels[3 * i + 2])
        }
        count = width * height
      }
    }
  }
}
