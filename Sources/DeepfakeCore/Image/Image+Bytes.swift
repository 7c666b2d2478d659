extension Image {
  /// Calls `body` with pointers to the bytes of all images. It recurses once for each image, so use
  /// it only for a limited number of images, such as a batch.
  static func withBytes<R>(
    of images: ArraySlice<Image>, _ found: [UnsafePointer<UInt8>] = [],
    _ body: ([UnsafePointer<UInt8>]) -> R
  ) -> R {
    guard let first = images.first else { return body(found) }
    return first.pixels.withUnsafeBufferPointer { bytes in
      // An image is never empty, so its buffer always has an address.
      withBytes(of: images.dropFirst(), found + (bytes.baseAddress.map { [$0] } ?? []), body)
    }
  }
}
