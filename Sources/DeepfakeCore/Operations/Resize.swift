import CDFKernels

/// The interpolation of a resized image.
public enum Resampling: String, Sendable, CaseIterable {
  /// The source pixel at floor(x * in / out), as in PyTorch's `nearest`.
  case nearest
  /// Linear interpolation between two source pixels along each axis, with pixel centres at halves
  /// and no antialiasing, as in PyTorch's `bilinear` with `align_corners=False` and OpenCV's
  /// `INTER_LINEAR`.
  case bilinear
  /// The exact average over the source area, as in OpenCV's `INTER_AREA`. An axis that grows is
  /// interpolated linearly.
  case area

  var kernel: df_resample {
    switch self {
    case .nearest: DF_NEAREST
    case .bilinear: DF_BILINEAR
    case .area: DF_AREA
    }
  }
}

/// NHWC images resized to another size.
package struct Resize: Operation {
  /// The output's height and width.
  package let size: Size2d
  package let method: Resampling

  package init(to size: Size2d, method: Resampling) {
    self.size = size
    self.method = method
  }

  /// Inputs: x [batch, height, width, channels].
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let x = inputs[0]
    let image = ImageShape(x, "resize")
    precondition(
      size.height > 0 && size.width > 0 && image.pixels > 0,
      "resize: \(x.shape) cannot become \(size.height)x\(size.width)")
    let shape = [image.batch, size.height, size.width, image.channels]
    let output = Tensor(shape: shape) { y in
      x.withUnsafeBuffer { x in
        let (source, target) = (
          image.pixels * image.channels, size.height * size.width * image.channels
        )
        for index in 0..<image.batch {
          let done = df_f32_resize(
            image.height, image.width, image.channels, x.baseAddress?.advanced(by: index * source),
            image.width * image.channels, size.height, size.width,
            y.baseAddress?.advanced(by: index * target), method.kernel)
          precondition(done, "resize: out of memory")
        }
      }
    }
    return (output, [x.shapeRecord])
  }

  /// The gradient of each output pixel, distributed to its source pixels by their interpolation
  /// weights.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let shape = saved[0].recordedShape
    let (height, width, channels) = (shape[1], shape[2], shape[3])
    let (size, method) = (size, method.kernel)
    let input = Tensor(shape: shape) { x in
      gradient.withUnsafeBuffer { gradient in
        guard let gradient = gradient.baseAddress, let x = x.baseAddress else { return }
        nonisolated(unsafe) let (to, from) = (x, gradient)
        Parallel.forEach(shape[0]) { index in
          let done = df_f32_resize_gradient(
            height, width, channels, size.height, size.width,
            from + index * size.height * size.width * channels,
            to + index * height * width * channels, method)
          precondition(done, "resize: out of memory")
        }
      }
    }
    return [input]
  }
}

extension Tensor {
  /// NHWC images resized to `size`.
  public func resized(to size: Size2d, method: Resampling) -> Tensor {
    Resize(to: size, method: method)(self)
  }
}
