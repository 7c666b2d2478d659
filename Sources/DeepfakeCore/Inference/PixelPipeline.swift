import CDFKernels

/// A part of an image, and the size to which it is resized for a network. Each pixel of that size
/// is the mean of all the pixels that it touches, as in PyTorch's "area" interpolation.
package struct PixelWindow: Sendable, Equatable {
  /// The index of the image in a list of images.
  package var image: Int
  /// The leftmost column.
  package var x: Int
  /// The uppermost row.
  package var y: Int
  /// The number of columns in the image.
  package var width: Int
  /// The number of rows in the image.
  package var height: Int
  /// The number of columns after resizing.
  package var toWidth: Int
  /// The number of rows after resizing.
  package var toHeight: Int

  /// Creates a window, which must lie inside its image.
  package init(
    image: Int, x: Int, y: Int, width: Int, height: Int, toWidth: Int, toHeight: Int
  ) {
    self.image = image
    self.x = x
    self.y = y
    self.width = width
    self.height = height
    self.toWidth = toWidth
    self.toHeight = toHeight
  }
}

/// A chain of unpadded convolutions with PReLU and of max pools that reads image bytes and runs row
/// by row. Each layer keeps only the rows that the next layer needs. It suits small networks over
/// whole images or over many crops. Windows, and parts of large windows, are computed in parallel.
///
/// The weights are packed for the instruction set in use, which must not change afterwards.
package struct PixelPipeline: Sendable {
  /// One layer of the chain.
  package enum Layer: Sendable {
    /// A convolution without padding, with a PReLU or without activation.
    case convolution(Conv2d, PReLU?)
    /// A max pool in ceil mode: the last windows may reach beyond the input.
    case maxPool(kernel: Int, stride: Int)
  }

  /// A layer packed for the kernels.
  fileprivate struct Packed: Sendable {
    var kernel, stride, inputs, outputs: Int
    var weight, bias, slopes: Tensor?

    /// Multiply-adds for each output pixel.
    var multiplyAdds: Int { weight == nil ? 0 : kernel * kernel * inputs * outputs }
  }

  /// The number of output channels.
  package var outputs: Int { layers.last?.outputs ?? 0 }

  private let key: String
  private let layers: [Packed]
  private let mean: Float
  private let scale: Float

  /// The rows and columns of output that one job computes. Neighbouring jobs compute some rows and
  /// columns twice, so a job must be large, but it must fit into the caches.
  private static let rowsAtOnce = 32
  private static let columnsAtOnce = 512

  /// Packs `layers` and releases their parameters. The first layer reads
  /// (byte - mean) * scale.
  package init(_ layers: [Layer], mean: Float, scale: Float) {
    precondition(
      (1...Int(DF_PIPELINE_LAYERS)).contains(layers.count),
      "PixelPipeline: \(layers.count) layers")
    var channels = 3
    key = Self.key(layers)
    self.layers = layers.map { layer in
      let packed = Packed(layer, inputs: channels)
      channels = packed.outputs
      return packed
    }
    self.mean = mean
    self.scale = scale
  }

  /// The keys of the first and the last convolution without ".weight", for the measured times.
  private static func key(_ layers: [Layer]) -> String {
    let keys = layers.compactMap { layer in
      if case .convolution(let conv, _) = layer { conv.weight.key } else { nil as String? }
    }
    let suffix = ".weight".count
    return [keys.first, keys.count > 1 ? keys.last : nil].compactMap { $0?.dropLast(suffix) }
      .joined(separator: " to ")
  }

  /// The extent of the output for an extent of the input; 0 if the input is too small.
  package func outputExtent(_ extent: Int) -> Int {
    withKernel { df_pipeline_extent($0, extent) }
  }

  /// The outputs for windows that are resized to one size, as a batch [windows, height, width,
  /// outputs].
  package func batch(_ windows: [PixelWindow], of images: [Image]) -> Tensor {
    precondition(
      windows.allSatisfy {
        $0.toWidth == windows[0].toWidth && $0.toHeight == windows[0].toHeight
      }, "PixelPipeline: windows of different sizes in one batch")
    let height = outputExtent(windows.first?.toHeight ?? 0)
    let width = outputExtent(windows.first?.toWidth ?? 0)
    let size = height * width * outputs
    return Tensor(shape: [windows.count, height, width, outputs]) { y in
      guard let y = y.baseAddress else { return }
      run(windows.indices.map { Output(window: windows[$0], y: y + $0 * size) }, images)
    }
  }

  /// The output for each window, [height, width, outputs].
  package func callAsFunction(_ windows: [PixelWindow], of images: [Image]) -> [Tensor] {
    var outputs: [Output] = []
    let tensors = windows.map { window in
      let shape = [
        outputExtent(window.toHeight), outputExtent(window.toWidth), self.outputs,
      ]
      return Tensor(shape: shape) { y in
        if let y = y.baseAddress { outputs.append(Output(window: window, y: y)) }
      }
    }
    // Nothing else refers to the tensors yet, so writing to them is safe.
    withExtendedLifetime(tensors) { run(outputs, images) }
    return tensors
  }

  private struct Output {
    var window: PixelWindow
    var y: UnsafeMutablePointer<Float>
  }

  private func run(_ outputs: [Output], _ images: [Image]) {
    for output in outputs {
      let window = output.window
      precondition(
        images.indices.contains(window.image) && window.x >= 0 && window.y >= 0
          && window.width > 0 && window.height > 0 && window.toWidth > 0 && window.toHeight > 0
          && window.x + window.width <= images[window.image].width
          && window.y + window.height <= images[window.image].height,
        "PixelPipeline: \(window) is not in its image")
    }
    Image.withBytes(of: images[...]) { bytes in
      let jobs = outputs.flatMap { output in
        let window = output.window
        let pitch = images[window.image].width * 3
        return parts(of: output, bytes[window.image] + window.y * pitch + window.x * 3, pitch)
      }
      LayerTimes.measure(key, work: work(outputs.map(\.window))) {
        withKernel { df_u8_run_pipeline($0, jobs, jobs.count) }
      }
    }
  }

  /// The work for the windows' outputs. The shapes are those of all windows joined into one row.
  private func work(_ windows: [PixelWindow]) -> LayerWork {
    var multiplyAdds = 0
    withKernel { pipeline in
      var part = pipeline.pointee
      for (index, layer) in layers.enumerated() {
        part.count = index + 1
        for window in windows {
          multiplyAdds +=
            layer.multiplyAdds * df_pipeline_extent(&part, window.toHeight)
            * df_pipeline_extent(&part, window.toWidth)
        }
      }
    }
    let pixels = windows.reduce(0) { $0 + $1.width * $1.height }
    let outputPixels = windows.reduce(0) {
      $0 + outputExtent($1.toHeight) * outputExtent($1.toWidth)
    }
    let weights = layers.reduce(0) { $0 + $1.multiplyAdds }
    var work = LayerWork(
      .block, input: [1, pixels, 3], output: [1, outputPixels, outputs], weights: weights,
      multiplyAdds: multiplyAdds)
    work.bytes -= 3 * 3 * pixels  // the input is bytes
    return work
  }

  /// Divides a window's output into jobs.
  private func parts(
    of output: Output, _ x: UnsafePointer<UInt8>, _ pitch: Int
  ) -> [df_pipeline_job] {
    let window = output.window
    let height = outputExtent(window.toHeight)
    let width = outputExtent(window.toWidth)
    guard height > 0 && width > 0 else { return [] }
    let across = width.dividedRoundingUp(by: Self.columnsAtOnce)
    let columns = width.dividedRoundingUp(by: across)
    let down = height.dividedRoundingUp(by: Self.rowsAtOnce)
    let rows = height.dividedRoundingUp(by: down)
    var jobs: [df_pipeline_job] = []
    for top in stride(from: 0, to: height, by: rows) {
      for left in stride(from: 0, to: width, by: columns) {
        jobs.append(
          df_pipeline_job(
            x: x, x_stride: pitch, height: window.height, width: window.width,
            to_height: window.toHeight, to_width: window.toWidth, first_row: top,
            rows: min(rows, height - top), first_column: left,
            columns: min(columns, width - left),
            y: output.y + (top * width + left) * outputs, y_stride: width * outputs))
      }
    }
    return jobs
  }

  private func withKernel<R>(_ body: (UnsafePointer<df_pipeline>) -> R) -> R {
    withExtendedLifetime(layers) {
      let kernels = layers.map { layer in
        df_pipeline_layer(
          kernel: layer.kernel, stride: layer.stride, in_channels: layer.inputs,
          out_channels: layer.outputs, packed: layer.weight?.sharedMemory.floats,
          bias: layer.bias?.sharedMemory.floats, slopes: layer.slopes?.sharedMemory.floats)
      }
      return kernels.withUnsafeBufferPointer { layers in
        var pipeline = df_pipeline(
          layers: layers.baseAddress, count: layers.count, mean: mean, scale: scale)
        return withUnsafePointer(to: &pipeline) { body($0) }
      }
    }
  }
}

extension PixelPipeline.Packed {
  fileprivate init(_ layer: PixelPipeline.Layer, inputs: Int) {
    switch layer {
    case .maxPool(let kernel, let stride):
      self.init(kernel: kernel, stride: stride, inputs: inputs, outputs: inputs)
    case .convolution(let conv, let prelu):
      let shape = conv.weight.shape
      let settings = conv.settings
      precondition(
        shape[0] == shape[1] && shape[2] == inputs && settings.groups == 1
          && settings.dilation == Size2d(1) && settings.padding == .none,
        "PixelPipeline: \(conv.weight.key) \(shape) after \(inputs) channels")
      self.init(
        kernel: shape[0], stride: settings.stride.height, inputs: inputs, outputs: shape[3],
        weight: conv.weight.value.packedInPanels(), bias: conv.bias?.value,
        slopes: prelu.map { $0.slopes(channels: shape[3], after: conv.weight.key) })
      for parameter in [conv.weight, conv.bias, prelu?.weight] { parameter?.release() }
    }
    precondition(
      (1...Int(DF_PIPELINE_KERNEL)).contains(kernel) && (1...kernel).contains(stride),
      "PixelPipeline: kernel \(kernel) and stride \(stride)")
  }
}
