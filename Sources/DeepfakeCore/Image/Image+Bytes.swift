extension Image {
  /// Calls `body` with the bytes of all images. Their number must be bounded, as that of a batch.
  static func withBytes<R>(
    of images: ArraySlice<Image>, _ found: [UnsafePointer<UInt8>] = [],
    _ body: ([UnsafePointer<UInt8>]) -> R
  ) -> R {
    guard let first = images.first else { return body(found) }
    return first.pixels.withUnsafeBufferPointer { bytes in
      // An image is never empty, nor is its buffer without an address.
      withBytes(of: images.dropFirst(), found + (bytes.baseAddress.map { [$0] } ?? []), body)
    }
  }
}
