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
    return [input] + wants.dropFirst().map { _ in nil }
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    let (x, order) = (inputs[0], [Int].channelsFirst(rank: 4))
    let maps = graph.name(x, in: order)
    var attributes: [String: ONNXGraph.Attribute]
    switch method {
    case .nearest:
      attributes = [
        "mode": .text("nearest"), "coordinate_transformation_mode": .text("asymmetric"),
        "nearest_mode": .text("floor"),
      ]
    case .bilinear:
      attributes = [
        "mode": .text("linear"), "coordinate_transformation_mode": .text("half_pixel"),
      ]
    case .area:
      // ONNX does not have it; it is a product with a matrix on each side.
      guard !graph.hasOpenSize else {
        throw ONNXExportError("resizing by area; export it at one size")
      }
      return graph.mixed(
        x, rows: Self.areaWeights(from: x.shape[1], to: size.height),
        columns: Self.areaWeights(from: x.shape[2], to: size.width), output: output)
    }
    let extents: String
    if inputs.count > 1 {
      let reference = graph.node("Shape", [graph.name(inputs[1], in: order)])
      extents = graph.node(
        "Slice", [reference, graph.integers([2]), graph.integers([4]), graph.integers([0])])
    } else {
      guard !graph.hasOpenSize else {
        throw ONNXExportError("it resizes to \(size.height)x\(size.width); export it at one size")
      }
      extents = graph.integers([size.height, size.width])
    }
    let kept = graph.node(
      "Slice",
      [
        graph.node("Shape", [maps]), graph.integers([0]), graph.integers([2]), graph.integers([0]),
      ])
    let sizes = graph.node("Concat", [kept, extents], ["axis": .integer(0)])
    return graph.value("Resize", [maps, "", "", sizes], attributes, shape: output, order: order)
  }

  /// The share of each of `input` pixels in each of `output` pixels, [output, input].
  private static func areaWeights(from input: Int, to output: Int) -> Tensor {
    // Resizing a line of pixels that have one channel each gives all shares at once.
    let line = Tensor(shape: [1, input, 1, input]) { line in
      for i in line.indices { line[i] = i % (input + 1) == 0 ? 1 : 0 }
    }
    let resize = Resize(to: Size2d(height: output, width: 1), method: .area)
    return resize.forward([line]).output.viewed(as: [output, input])
  }
}

extension Tensor {
  /// [batch, height, width, channels] resized to the height and width of `reference`.
  package func resized(like reference: Tensor, method: Resampling) -> Tensor {
    let size = Size2d(height: reference.shape[1], width: reference.shape[2])
    return Resize(to: size, method: method)(self, reference)
  }

  /// NHWC images resized to `size`.
  public func resized(to size: Size2d, method: Resampling) -> Tensor {
    Resize(to: size, method: method)(self)
  }
}
