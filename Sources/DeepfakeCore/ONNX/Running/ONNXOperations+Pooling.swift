extension ONNXOperations {
  /// MaxPool.
  static func maxPool(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    _ = try plan.integer("storage_order", 0, in: 0...0)
    return try pool(plan) { windows, x in
      MaxPooling(windows)(x)
    } padded: { x, before, after, windows, _ in
      MaxPooling(windows)(x.padded(before: before, after: after, value: -.infinity))
    }
  }

  /// AveragePool. Padding counts only if the node says so.
  static func averagePool(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let countsPadding = try plan.flag("count_include_pad", false)
    return try pool(plan) { windows, x in
      AveragePooling(windows, countsPadding: countsPadding)(x)
    } padded: { x, before, after, windows, declared in
      let averages = AveragePooling(windows)(x.padded(before: before, after: after))
      // The part of each window that counts, as an average of ones and zeros.
      let ones = [1, x.shape[1], x.shape[2], 1]
      var mask = Tensor(repeating: 1, shape: ones)
      var rest = (before: before, after: after)
      if countsPadding {
        mask = Tensor(
          repeating: 1,
          shape: [
            1, ones[1] + before[1] + declared.rows, ones[2] + before[2] + declared.columns, 1,
          ])
        rest = ([0, 0, 0, 0], [0, after[1] - declared.rows, after[2] - declared.columns, 0])
      }
      let share = AveragePooling(windows)(mask.padded(before: rest.before, after: rest.after))
      return averages / share
    }
  }

  /// A pooling. `plain` computes windows that the library has; `padded` gets images with margins
  /// to add to them, the windows for them, and how much of the margin below and on the right the
  /// node declares.
  private static func pool(
    _ plan: ONNXNodePlan, plain: @escaping @Sendable (PoolingWindows, Tensor) -> Tensor,
    padded:
      @escaping @Sendable (
        Tensor, _ before: [Int], _ after: [Int], PoolingWindows, (rows: Int, columns: Int)
      ) -> Tensor
  ) throws(ONNXMismatch) -> ONNXBody {
    let windows = try ONNXWindows(plan)
    guard let kernel = windows.kernel, windows.dilation == 1 else {
      throw ONNXMismatch("dfkit needs its setting kernel_shape, and has no dilations in it")
    }
    return { arguments throws(ONNXMismatch) in
      let x = try arguments.images(0)
      let image = ImageShape(x.shape)
      let (rows, columns) = try windows.edges(of: image, kernel: kernel)
      guard max(rows.before, rows.after) < kernel.height,
        max(columns.before, columns.after) < kernel.width
      else { throw ONNXMismatch("its padding is as large as its window") }
      let down = extent(image.height, rows, kernel.height, windows.stride.height, windows.ceilMode)
      let across = extent(
        image.width, columns, kernel.width, windows.stride.width, windows.ceilMode)
      _ = try [image.batch, down, across, image.channels].elementCount()
      let isPlain =
        rows.before == rows.after && columns.before == columns.after
        && rows.before <= kernel.height / 2 && columns.before <= kernel.width / 2
      if isPlain {
        let plainWindows = PoolingWindows(
          kernel: kernel, stride: windows.stride,
          padding: Size2d(height: rows.before, width: columns.before), ceilMode: windows.ceilMode)
        return [.floats(ONNXFloats(channelsLast: plain(plainWindows, x)))]
      }
      // The margins that make every window whole.
      let below = max(
        rows.after, (down - 1) * windows.stride.height + kernel.height - image.height - rows.before)
      let right = max(
        columns.after,
        (across - 1) * windows.stride.width + kernel.width - image.width - columns.before)
      _ = try [
        image.batch, image.height + rows.before + below, image.width + columns.before + right,
        image.channels,
      ].elementCount()
      let y = padded(
        x, [0, rows.before, columns.before, 0], [0, below, right, 0],
        PoolingWindows(kernel: kernel, stride: windows.stride), (rows.after, columns.after))
      return [.floats(ONNXFloats(channelsLast: y))]
    }
  }

  /// The number of windows along an axis. In ceil mode the last one must start inside the image or
  /// the margin before it.
  private static func extent(
    _ input: Int, _ edge: ONNXWindows.Edge, _ kernel: Int, _ stride: Int, _ ceilMode: Bool
  ) -> Int {
    let span = input + edge.before + edge.after - kernel
    guard ceilMode else { return span / stride + 1 }
    let extent = span.dividedRoundingUp(by: stride) + 1
    return (extent - 1) * stride >= input + edge.before ? extent - 1 : extent
  }

  /// GlobalAveragePool and GlobalMaxPool: N, C, H, W to N, C, 1, 1.
  static func globalPool(
    _ pool: @escaping @Sendable (Tensor) -> Tensor
  ) -> ONNXBuilder {
    { _ in
      { arguments throws(ONNXMismatch) in
        let x = try arguments.images(0)
        let y = pool(x).viewed(as: [x.shape[0], 1, 1, x.shape[3]])
        return [.floats(ONNXFloats(channelsLast: y))]
      }
    }
  }
}
