extension Tensor {
  /// The gradient of a pooling's input of `shape`; this tensor is the gradient of its output. Each
  /// pixel of a window gets the output pixel's gradient times `share`.
  @inline(__always)
  func spread(
    over shape: [Int], window: @Sendable (Int, Int) -> PoolingWindow,
    share: @Sendable (PoolingWindow) -> Float
  ) -> Tensor {
    scattered(over: shape, window: window) { window, gradient in
      gradient * share(window)
    } part: { gradient, _, _, _ in
      gradient
    }
  }

  /// The gradient of a max pooling's input `x`. The gradient of each output element goes to the
  /// first element of its window that equals `output`, or that is NaN if `output` is NaN.
  @inline(__always)
  func spreadToLargest(
    of x: Tensor, _ output: Tensor, window: @Sendable (Int, Int) -> PoolingWindow
  ) -> Tensor {
    x.withUnsafeBuffer { inputs in
      output.withUnsafeBuffer { outputs in
        guard let first = inputs.baseAddress, let pooled = outputs.baseAddress else {
          return Tensor(zeros: x.shape)
        }
        nonisolated(unsafe) let (source, largest) = (LaneSource(first), LaneSource(pooled))
        return scattered(over: x.shape, window: window) { _, gradient in
          gradient
        } part: { left, from, to, count in
          let (value, most) = (source.some(from, count), largest.some(to, count))
          let isIt = (value .== most) .| ((value .!= value) .& (most .!= most))
          let part = Lanes.select(isIt, left, .zero)
          left = .select(isIt, .zero, left)
          return part
        }
      }
    }
  }

  /// Gives the gradients of output pixels to the pixels of their windows.
  ///
  /// For each window, `start` gets the window and up to eight channels of its gradient. Its result
  /// is passed from pixel to pixel: `part` returns the share of the current pixel and may change
  /// what remains for the next pixels. `part` also gets the offsets of the elements in the input
  /// and the output, and their number.
  @inline(__always)
  private func scattered(
    over inputShape: [Int], window: @Sendable (Int, Int) -> PoolingWindow,
    start: @Sendable (PoolingWindow, Lanes) -> Lanes,
    part: @Sendable (inout Lanes, _ from: Int, _ to: Int, _ count: Int) -> Lanes
  ) -> Tensor {
    let (image, pooled) = (ImageShape(inputShape), ImageShape(shape))
    let channels = image.channels
    // Each task handles one block of channels of one image, with all its windows in order.
    let block = 64
    let blocks = channels.dividedRoundingUp(by: block)
    return Tensor(shape: inputShape) { x in
      x.initialize(repeating: 0)
      withUnsafeBuffer { gradient in
        guard let x = x.baseAddress, let gradient = gradient.baseAddress else { return }
        nonisolated(unsafe) let (target, source) = (x, LaneSource(gradient))
        Parallel.forEach(image.batch * blocks) { task in
          let (index, first) = (task / blocks, task % blocks * block)
          let last = Swift.min(first + block, channels)
          for row in 0..<pooled.height {
            for column in 0..<pooled.width {
              let window = window(row, column)
              let pixel = (index * pooled.height + row) * pooled.width + column
              for channel in stride(from: first, to: last, by: 8) {
                let count = Swift.min(8, last - channel)
                let to = pixel * channels + channel
                var left = start(window, source.some(to, count))
                for windowRow in window.rows {
                  let line = (index * image.height + windowRow) * image.width
                  for windowColumn in window.columns {
                    let from = (line + windowColumn) * channels + channel
                    let part = part(&left, from, to, count)
                    addLanes(part, to: target + from, count)
                  }
                }
              }
            }
          }
        }
      }
    }
  }
}

extension LaneSource {
  /// Up to eight elements from `index` on; the others are 0.
  @inline(__always)
  fileprivate func some(_ index: Int, _ count: Int) -> Lanes {
    count == 8 ? full(index) : partial(index, count)
  }
}

/// Adds the first `count` lanes to the floats at `target`.
@inline(__always)
private func addLanes(_ lanes: Lanes, to target: UnsafeMutablePointer<Float>, _ count: Int) {
  if count == 8 {
    let place = UnsafeMutableRawPointer(target)
    place.storeBytes(of: place.loadUnaligned(as: Lanes.self) + lanes, as: Lanes.self)
  } else {
    for lane in 0..<count { target[lane] += lanes[lane] }
  }
}
