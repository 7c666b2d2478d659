import CDFKernels

/// The largest element of each window.
package struct MaxPooling: Operation {
  package let windows: PoolingWindows

  package init(_ windows: PoolingWindows) {
    self.windows = windows
  }

  /// Inputs: x [batch, height, width, channels]. A window with a NaN gives NaN.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let x = inputs[0]
    let image = ImageShape(x, "max pooling")
    let size = windows.outputSize(image, "max pooling")
    var pool = df_pool(
      batch: image.batch, in_height: image.height, in_width: image.width,
      channels: image.channels, out_height: size.height, out_width: size.width,
      kernel_height: windows.kernel.height, kernel_width: windows.kernel.width,
      stride_height: windows.stride.height, stride_width: windows.stride.width,
      pad_top: windows.padding.height, pad_left: windows.padding.width)
    let output = Tensor(shape: [image.batch, size.height, size.width, image.channels]) { y in
      x.withUnsafeBuffer { df_f32_max_pool(&pool, $0.baseAddress, y.baseAddress) }
    }
    return (output, [x, output])
  }

  /// The gradient of each output goes to the first of the largest elements in its window.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let (x, output) = (saved[0], saved[1])
    let image = ImageShape(x, "max pooling")
    return [gradient.spreadToLargest(of: x, output) { windows.window($0, $1, image) }]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    try windows.addNodes("MaxPool", to: graph, inputs[0], output: output)
  }
}

/// The average of each window.
package struct AveragePooling: Operation {
  package let windows: PoolingWindows
  /// Whether the divisor of an average counts the padding, too.
  package let countsPadding: Bool

  package init(_ windows: PoolingWindows, countsPadding: Bool = true) {
    self.windows = windows
    self.countsPadding = countsPadding
  }

  /// Inputs: x [batch, height, width, channels].
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let x = inputs[0]
    let image = ImageShape(x, "average pooling")
    let output = x.pooled(to: windows.outputSize(image, "average pooling"), initial: 0) {
      windows.window($0, $1, image)
    } combine: {
      $0 + $1
    } scale: {
      1 / Float(countsPadding ? $0.area : $0.rows.count * $0.columns.count)
    }
    return (output, [x.shapeRecord])
  }

  /// The gradient of each output is divided equally among the elements of its window.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let shape = saved[0].recordedShape
    let image = ImageShape(shape)
    return [
      gradient.spread(over: shape) {
        windows.window($0, $1, image)
      } share: {
        1 / Float(countsPadding ? $0.area : $0.rows.count * $0.columns.count)
      }
    ]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    guard windows.ceilMode, windows.padding != 0 || windows.kernel != windows.stride else {
      return try windows.addNodes(
        "AveragePool", ["count_include_pad": .integer(countsPadding ? 1 : 0)], to: graph,
        inputs[0], output: output)
    }
    guard !graph.hasOpenSize else {
      throw ONNXExportError("average pooling whose size is rounded up; export it at one size")
    }
    // Programs disagree on the last windows, so their share is said in numbers.
    let image = ImageShape(inputs[0].shape)
    let area = Float(windows.kernel.height * windows.kernel.width)
    let shares = (0..<output[1]).flatMap { row in
      (0..<output[2]).map { column in
        let window = windows.window(row, column, image)
        return area / Float(countsPadding ? window.area : window.rows.count * window.columns.count)
      }
    }
    let order = [Int].channelsFirst(rank: 4)
    let pads = windows.insets(image, output)
    let padded = graph.node(
      "Pad",
      [
        graph.name(inputs[0], in: order),
        graph.integers([0, 0, pads.top, pads.left, 0, 0, pads.bottom, pads.right]),
        graph.constant(0),
      ])
    let means = graph.node(
      "AveragePool", [padded],
      ["kernel_shape": .integers(windows.kernel.axes), "strides": .integers(windows.stride.axes)])
    let share = graph.constant(Tensor(shares, shape: [output[1], output[2]]))
    return graph.value("Mul", [means, share], shape: output, order: order)
  }
}

/// The average of each of height x width parts of the image, as in PyTorch's `adaptive_avg_pool2d`
/// and `area` interpolation. Part i is from floor(i * in / out) to ceil((i + 1) * in / out).
package struct AdaptiveAveragePooling: Operation {
  /// The output's height and width.
  package let size: Size2d

  package init(to size: Size2d) {
    self.size = size
  }

  /// Inputs: x [batch, height, width, channels].
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let x = inputs[0]
    let image = ImageShape(x, "adaptive average pooling")
    precondition(
      size.height > 0 && size.width > 0 && image.pixels > 0,
      "adaptive average pooling: \(x.shape) cannot become \(size.height)x\(size.width)")
    let output = x.pooled(to: size, initial: 0) {
      window($0, $1, image)
    } combine: {
      $0 + $1
    } scale: {
      1 / Float($0.area)
    }
    return (output, [x.shapeRecord])
  }

  /// The gradient of each output is divided equally among the elements of its part.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let shape = saved[0].recordedShape
    let image = ImageShape(shape)
    return [
      gradient.spread(over: shape) {
        window($0, $1, image)
      } share: {
        1 / Float($0.area)
      }
    ]
  }

  private func window(_ row: Int, _ column: Int, _ image: ImageShape) -> PoolingWindow {
    let rows = Self.part(row, image.height, size.height)
    let columns = Self.part(column, image.width, size.width)
    return PoolingWindow(rows: rows, columns: columns, area: rows.count * columns.count)
  }

  private static func part(_ index: Int, _ input: Int, _ output: Int) -> Range<Int> {
    index * input / output..<((index + 1) * input).dividedRoundingUp(by: output)
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    let (x, order) = (inputs[0], [Int].channelsFirst(rank: 4))
    if size == 1 {
      return graph.value(
        "GlobalAveragePool", [graph.name(x, in: order)], shape: output, order: order)
    }
    guard !graph.hasOpenSize else {
      throw ONNXExportError("it pools to \(size.height)x\(size.width); export it at one size")
    }
    // The mean over uneven windows is a product with a matrix on each side.
    func weights(_ input: Int, _ output: Int) -> Tensor {
      var values = [Float](repeating: 0, count: input * output)
      for index in 0..<output {
        let part = Self.part(index, input, output)
        for place in part { values[index * input + place] = 1 / Float(part.count) }
      }
      return Tensor(values, shape: [output, input])
    }
    return graph.mixed(
      x, rows: weights(x.shape[1], size.height), columns: weights(x.shape[2], size.width),
      output: output)
  }
}

/// The average over all pixels: [batch, height, width, channels] to [batch, channels].
package struct GlobalAveragePooling: Operation {
  package init() {}

  /// Inputs: x.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let x = inputs[0]
    let image = ImageShape(x, "global average pooling")
    precondition(image.pixels > 0, "global average pooling: \(x.shape) has no pixels")
    let output = Tensor(shape: [image.batch, image.channels]) { y in
      x.withUnsafeBuffer { x in
        df_f32_pixel_sums(
          image.batch, image.pixels, image.channels, x.baseAddress, y.baseAddress)
      }
      for i in y.indices { y[i] /= Float(image.pixels) }
    }
    return (output, [x.shapeRecord])
  }

  /// The gradient of each channel is divided equally among all pixels.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let image = ImageShape(saved[0].recordedShape)
    let share = gradient / Float(image.pixels)
    let output = Tensor(shape: saved[0].recordedShape) { x in
      share.withUnsafeBuffer { share in
        guard let share = share.baseAddress, let x = x.baseAddress else { return }
        nonisolated(unsafe) let (from, to) = (share, x)
        Parallel.forEach(image.batch) { index in
          let row = from + index * image.channels
          var target = to + index * image.pixels * image.channels
          for _ in 0..<image.pixels {
            target.update(from: row, count: image.channels)
            target += image.channels
          }
        }
      }
    }
    return [output]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    let maps = graph.name(inputs[0], in: .channelsFirst(rank: 4))
    return graph.value(
      "Flatten", [graph.node("GlobalAveragePool", [maps])], ["axis": .integer(1)], shape: output)
  }
}

extension Tensor {
  /// The largest element of each window of NHWC images; by default the windows do not overlap.
  public func maxPool(
    _ kernel: Size2d, stride: Size2d? = nil, padding: Size2d = 0, ceilMode: Bool = false
  ) -> Tensor {
    MaxPooling(
      PoolingWindows(kernel: kernel, stride: stride, padding: padding, ceilMode: ceilMode))(self)
  }

  /// The average of each window of NHWC images; by default the windows do not overlap, and the
  /// average divides by the window's size including padding.
  public func averagePool(
    _ kernel: Size2d, stride: Size2d? = nil, padding: Size2d = 0, ceilMode: Bool = false,
    countsPadding: Bool = true
  ) -> Tensor {
    let windows = PoolingWindows(
      kernel: kernel, stride: stride, padding: padding, ceilMode: ceilMode)
    return AveragePooling(windows, countsPadding: countsPadding)(self)
  }

  /// The averages of height x width parts of NHWC images, as in PyTorch's `adaptive_avg_pool2d`.
  public func adaptiveAveragePool(to size: Size2d) -> Tensor {
    AdaptiveAveragePooling(to: size)(self)
  }

  /// The average over all pixels: [batch, height, width, channels] to [batch, channels].
  public func globalAveragePool() -> Tensor { GlobalAveragePooling()(self) }
}

extension Tensor {
  /// A pooling of NHWC images. Each output pixel starts at `initial`, is combined with the pixels
  /// of its window row by row, and is multiplied by `scale`.
  @inline(__always)
  fileprivate func pooled(
    to size: Size2d, initial: Float, window: @Sendable (Int, Int) -> PoolingWindow,
    combine: @Sendable (Lanes, Lanes) -> Lanes, scale: @Sendable (PoolingWindow) -> Float
  ) -> Tensor {
    let (batch, height, width, channels) = (shape[0], shape[1], shape[2], shape[3])
    return Tensor(shape: [batch, size.height, size.width, channels]) { y in
      withUnsafeBuffer { x in
        guard let from = x.baseAddress, let to = y.baseAddress else { return }
        nonisolated(unsafe) let (x, y) = (from, to)
        Parallel.forEach(batch * size.height) { line in
          let (image, row) = (line / size.height, line % size.height)
          for column in 0..<size.width {
            let window = window(row, column)
            let target = y + (line * size.width + column) * channels
            target.update(repeating: initial, count: channels)
            for sourceRow in window.rows {
              let source = x + ((image * height + sourceRow) * width) * channels
              for sourceColumn in window.columns {
                combineLanes(
                  LaneSource(target), LaneSource(source + sourceColumn * channels), target,
                  channels, combine)
              }
            }
            let factor = scale(window)
            if factor != 1 { mapLanes(target, target, channels) { $0 * factor } }
          }
        }
      }
    }
  }
}
