import CDFKernels

/// A chain of 3x3 depthwise separable convolutions and plain convolutions, packed for inference. It
/// runs row by row. Each layer keeps only the rows that the next layer needs, so large maps with
/// few channels stay in the cache. The first layer can read the bytes of images.
///
/// The weights are packed for the instruction set in use, which must not change afterwards.
package struct ConvolutionChain: Sendable {
  /// A convolution with its batch norm and activation. The convolution keeps the size of its input
  /// or, at stride 2, halves it and rounds up.
  package struct Block: Sendable {
    package var conv: Conv2d
    /// The batch norm after the convolution.
    package var norm: BatchNorm2d?
    /// The activation after the norm.
    package var activation: Activation

    package init(_ conv: Conv2d, norm: BatchNorm2d? = nil, activation: Activation = .identity) {
      self.conv = conv
      self.norm = norm
      self.activation = activation
    }

    /// Whether a chain accepts this block as a plain layer.
    package var fitsPlain: Bool { PackedChainLayer.fits(conv, groups: 1) }
  }

  /// A layer of the chain.
  package enum Layer: Sendable {
    /// A plain convolution with an odd kernel.
    case plain(Block)
    /// A 3x3 depthwise convolution, then a pointwise one.
    case separable(depthwise: Block, pointwise: Block)
  }

  /// The maximum number of layers of a chain.
  package static let maximumCount = Int(DF_CHAIN_LAYERS)

  private let layers: [PackedChainLayer]
  /// The first layer for bytes in the order red, green, blue; nil if the chain cannot begin with
  /// images.
  private let firstOfImages: PackedChainLayer?
  private let normalization: PixelNormalization

  /// Packs `layers` and releases their parameters. With a `normalization`, the chain can begin with
  /// images: the first layer must then be a plain one with three inputs.
  package init(_ layers: [Layer], normalization: PixelNormalization? = nil) {
    self.normalization = normalization ?? PixelNormalization()
    firstOfImages = normalization.flatMap { normalization in
      layers.first.map {
        PackedChainLayer($0, reversesInputs: normalization.channelOrder == .bgr)
      }
    }
    self.layers = layers.map { PackedChainLayer($0, reversesInputs: false) }
    for layer in layers { layer.release() }
    let keys = self.layers.map(\.key)
    precondition(
      (1...Self.maximumCount).contains(layers.count)
        && zip(self.layers, self.layers.dropFirst()).allSatisfy { $0.outputs == $1.inputs },
      "ConvolutionChain: \(keys) do not follow each other")
    precondition(
      firstOfImages.map { $0.inputs == 3 && $0.depthwise == nil } ?? true,
      "ConvolutionChain: \(keys[0]) does not read images")
  }

  /// The chain's output [batch, height, width, out] for `x` [batch, height, width, in], plus
  /// `residual` of the output's shape.
  package func callAsFunction(_ x: Tensor, residual: Tensor? = nil) -> Tensor {
    let shape = ImageShape(x, layers[0].key)
    precondition(
      shape.channels == layers[0].inputs,
      "\(layers[0].key): input \(x.shape) does not have \(layers[0].inputs) channels")
    let output = outputShape(shape)
    precondition(
      residual.map { $0.shape == output } ?? true,
      "\(layers[0].key): residual \(residual?.shape ?? []) must have the output's shape \(output)")
    return x.withUnsafeBuffer { x in
      residual.withUnsafePointer { residual in
        var input = df_chain_input()
        input.x = x.baseAddress
        input.residual = residual
        return run(layers, shape, &input)
      }
    }
  }

  /// The chain's output for images of one size. The chain must have been created with a
  /// `normalization`.
  package func callAsFunction(_ images: [Image]) -> Tensor {
    guard let firstOfImages else {
      preconditionFailure("\(layers[0].key): this chain does not begin with images")
    }
    let shape = ImageShape(Image.batchShape(images))
    let (scale, shift) = normalization.scaleAndShift([0, 1, 2])
    var input = df_chain_input()
    input.scale = (scale[0], scale[1], scale[2])
    input.shift = (shift[0], shift[1], shift[2])
    return Image.withBytes(of: images[...]) { bytes in
      let pointers: [UnsafePointer<UInt8>?] = bytes
      return pointers.withUnsafeBufferPointer { bytes in
        input.bytes = bytes.baseAddress
        return run([firstOfImages] + layers.dropFirst(), shape, &input)
      }
    }
  }

  /// The keys of the first and the last layer without ".weight", for the measured times.
  private var label: String {
    let ends = layers.count > 1 ? [layers[0], layers[layers.count - 1]] : [layers[0]]
    let suffix = ".weight"
    return ends.map { $0.key.hasSuffix(suffix) ? String($0.key.dropLast(suffix.count)) : $0.key }
      .joined(separator: " to ")
  }

  private func outputShape(_ shape: ImageShape) -> [Int] {
    let kernels = layers.map(\.kernel)
    return [
      shape.batch, df_chain_extent(kernels, kernels.count, shape.height),
      df_chain_extent(kernels, kernels.count, shape.width), layers[layers.count - 1].outputs,
    ]
  }

  private func run(
    _ layers: [PackedChainLayer], _ shape: ImageShape, _ input: inout df_chain_input
  ) -> Tensor {
    input.batch = shape.batch
    input.height = shape.height
    input.width = shape.width
    let kernels = layers.map(\.kernel)
    return LayerTimes.measure(
      label, work: work(shape, isBytes: input.x == nil)
    ) {
      withExtendedLifetime(layers) {
        Tensor(shape: outputShape(shape)) { y in
          df_f32_run_chain(kernels, kernels.count, &input, y.baseAddress)
        }
      }
    }
  }

  private func work(_ shape: ImageShape, isBytes: Bool) -> LayerWork {
    var shape = shape
    var parts: [LayerWork] = []
    for layer in layers {
      let input = shape
      shape.height = (shape.height - 1) / layer.stride + 1
      shape.width = (shape.width - 1) / layer.stride + 1
      shape.channels = layer.outputs
      parts.append(
        LayerWork(
          .block, input: [input.batch, input.height, input.width, input.channels],
          output: [shape.batch, shape.height, shape.width, shape.channels],
          weights: layer.multiplyAdds,
          multiplyAdds: shape.batch * shape.pixels * layer.multiplyAdds))
    }
    var work = LayerWork(fusing: parts)
    if isBytes { work.bytes -= 3 * work.input.reduce(1, *) }
    return work
  }
}

extension ConvolutionChain.Layer {
  fileprivate func release() {
    switch self {
    case .plain(let block): NormFolding.release(block.conv, block.norm)
    case .separable(let depthwise, let pointwise):
      NormFolding.release(depthwise.conv, depthwise.norm)
      NormFolding.release(pointwise.conv, pointwise.norm)
    }
  }
}
