/// The windows of a pooling and the size of its output, by PyTorch's rules.
package struct PoolingWindows: Sendable, Equatable {
  /// The size of a window in pixels.
  package var kernel: Size2d
  /// The distance from one window to the next in pixels.
  package var stride: Size2d
  /// The padding on each side, in pixels; at most half the kernel.
  package var padding: Size2d
  /// Whether the last window may reach beyond the bottom or right edge, as in PyTorch's
  /// `ceil_mode`. It must start inside the image or its top or left padding.
  package var ceilMode: Bool

  /// Creates windows; by default they lie next to each other without overlap.
  package init(kernel: Size2d, stride: Size2d? = nil, padding: Size2d = 0, ceilMode: Bool = false) {
    self.kernel = kernel
    self.stride = stride ?? kernel
    self.padding = padding
    self.ceilMode = ceilMode
  }

  func outputSize(_ image: ImageShape, _ operation: String) -> Size2d {
    Size2d(
      height: extent(image.height, kernel.height, stride.height, padding.height, operation),
      width: extent(image.width, kernel.width, stride.width, padding.width, operation))
  }

  private func extent(
    _ input: Int, _ kernel: Int, _ stride: Int, _ padding: Int, _ operation: String
  ) -> Int {
    precondition(
      kernel > 0 && stride > 0 && padding >= 0 && padding <= kernel / 2,
      "\(operation): kernel \(kernel), stride \(stride) and padding \(padding) do not fit")
    let span = input + 2 * padding - kernel
    precondition(
      span >= 0 || (ceilMode && span + stride > 0),
      "\(operation): \(input) pixels are too few for kernel \(kernel)")
    var extent = (span + (ceilMode ? stride - 1 : 0)) / stride + 1
    if ceilMode && (extent - 1) * stride >= input + padding { extent -= 1 }
    precondition(extent > 0, "\(operation): \(input) pixels are too few for kernel \(kernel)")
    return extent
  }

  /// The rows or columns of window `index` that lie in the image, and its extent including padding.
  static func span(
    _ index: Int, input: Int, kernel: Int, stride: Int, padding: Int
  ) -> (inside: Range<Int>, extent: Int) {
    let start = index * stride - padding
    let end = min(start + kernel, input + padding)
    let low = max(start, 0)
    return (low..<max(low, min(end, input)), end - start)
  }

  /// The window of the output pixel in `row` and `column`.
  /// Adds the node of a pooling with these windows.
  func addNodes(
    _ operation: String, _ attributes: [String: ONNXGraph.Attribute] = [:],
    to graph: GraphBuilder, _ x: TracedValue, output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    let order = [Int].channelsFirst(rank: 4)
    var attributes = attributes
    attributes["kernel_shape"] = .integers(kernel.axes)
    attributes["strides"] = .integers(stride.axes)
    var pads = padding.axes + padding.axes
    // ONNX Runtime lets the last window begin beyond the input, PyTorch does not. Without padding
    // no window can; otherwise the end is padded by what the size needs.
    if ceilMode, padding == 0, kernel.height >= stride.height, kernel.width >= stride.width {
      attributes["ceil_mode"] = .integer(1)
    } else if ceilMode {
      guard !graph.hasOpenSize else {
        throw ONNXExportError("pooling whose size is rounded up; export it at one size")
      }
      let insets = insets(ImageShape(x.shape), output)
      pads = [insets.top, insets.left, insets.bottom, insets.right].map(Int64.init)
    }
    attributes["pads"] = .integers(pads)
    return graph.value(
      operation, [graph.name(x, in: order)], attributes, shape: output, order: order)
  }

  /// The padding with which all windows of the output lie inside.
  func insets(_ image: ImageShape, _ output: [Int]) -> Insets {
    func end(_ count: Int, _ input: Int, _ kernel: Int, _ stride: Int, _ padding: Int) -> Int {
      max(padding, (count - 1) * stride + kernel - input - padding)
    }
    return Insets(
      top: padding.height, left: padding.width,
      bottom: end(output[1], image.height, kernel.height, stride.height, padding.height),
      right: end(output[2], image.width, kernel.width, stride.width, padding.width))
  }

  func window(_ row: Int, _ column: Int, _ image: ImageShape) -> PoolingWindow {
    let down = Self.span(
      row, input: image.height, kernel: kernel.height, stride: stride.height,
      padding: padding.height)
    let across = Self.span(
      column, input: image.width, kernel: kernel.width, stride: stride.width,
      padding: padding.width)
    return PoolingWindow(
      rows: down.inside, columns: across.inside, area: down.extent * across.extent)
  }
}

/// The input pixels of one output pixel of a pooling.
struct PoolingWindow {
  /// Rows inside the image.
  var rows: Range<Int>
  /// Columns inside the image.
  var columns: Range<Int>
  /// The number of pixels, including padding.
  var area: Int
}
