import CDFKernels

/// An inverted bottleneck packed for inference, with or without squeeze and excitation: the block
/// of EfficientNet (Tan and Le 2019). Its widened maps, six times as large as the others, are never
/// written to memory as a whole.
///
/// A slice of the widened channels is computed row by row, filtered, and summed for the squeeze
/// while it is in the nearest caches. The gates of the excitation are multiplied into the
/// projection's weights or into its input, whichever is smaller. Batch norms are folded into the
/// weights. Group norms need all pixels of a group before the first output, so their statistics are
/// gathered while maps are written, and the norms are applied when the maps are read.
package struct PackedInvertedBottleneck: Sendable {
  private let key: String
  private let settings: ConvolutionSettings
  private let filterShape: [Int]
  private let inputs: Int
  private let outputs: Int
  private let hasResidual: Bool
  private let activation: Activation
  private let widen: PackedProduct?
  private let filters: Tensor
  private let reduce: PackedProduct?
  private let excite: PackedProduct?
  private let project: PackedProduct
  private let norms: [PackedNorm?]

  /// Packs the block's layers and releases their parameters. `activation` follows `widen` and
  /// `filter`, SiLU follows `reduce`, the sigmoid follows `excite`, and nothing follows `project`.
  /// All norms must be of one kind.
  ///
  /// - Parameters:
  ///   - widen: The 1x1 convolution that widens; nil if `filter` reads the block's input.
  ///   - filter: The depthwise convolution, without dilation.
  ///   - reduce: The squeeze layer. `reduce` and `excite` are both present or both nil.
  ///   - excite: The excitation layer.
  ///   - project: The 1x1 convolution to the output's channels.
  ///   - hasResidual: Whether the input is added to the output.
  package init(
    widen: (conv: Conv2d, norm: NormLayer)?, filter: (conv: Conv2d, norm: NormLayer),
    reduce: Conv2d?, excite: Conv2d?, project: (conv: Conv2d, norm: NormLayer),
    activation: Activation, hasResidual: Bool
  ) {
    let shape = filter.conv.weight.shape
    key = filter.conv.weight.key
    settings = filter.conv.settings
    filterShape = shape
    self.hasResidual = hasResidual
    self.activation = activation
    precondition(
      settings.groups == shape[3] && shape[2] == 1 && settings.dilation == 1,
      "\(key): \(shape) in \(settings.groups) groups is not depthwise")
    inputs = widen?.conv.weight.shape[2] ?? shape[3]
    outputs = project.conv.weight.shape[3]
    norms = [widen?.norm, filter.norm, project.norm].map { $0.flatMap(PackedNorm.init) }
    self.widen = widen.map { PackedProduct($0.conv, norm: $0.norm) }
    self.reduce = reduce.map { PackedProduct($0, norm: nil) }
    self.excite = excite.map { PackedProduct($0, norm: nil) }
    self.project = PackedProduct(project.conv, norm: project.norm)
    let folding = filter.norm.batch.map { NormFolding($0, after: filter.conv) }
    let weight = filter.conv.weight.value
    let (folded, bias) = (
      folding?.scaling(weight) ?? weight, folding?.bias ?? filter.conv.bias?.value
    )
    var conv = settings.kernel(
      input: ImageShape([1, shape[0], shape[1], shape[3]]), weight: shape)
    filters = Tensor(shape: [df_f32_mbconv_filters_count(&conv)]) { packed in
      folded.withUnsafeBuffer { weights in
        bias.withUnsafePointer { bias in
          df_f32_mbconv_pack_filters(&conv, weights.baseAddress, bias, packed.baseAddress)
        }
      }
    }
    for unit in [widen, filter, project].compactMap({ $0 }) {
      NormFolding.release(unit.conv, unit.norm.batch)
    }
    for conv in [reduce, excite].compactMap({ $0 }) { NormFolding.release(conv, nil) }
    precondition(
      (self.reduce?.inputs ?? shape[3]) == shape[3]
        && self.excite?.outputs == self.reduce?.inputs
        && self.project.inputs == shape[3] && (widen == nil || self.widen?.outputs == shape[3])
        && (!hasResidual || inputs == outputs),
      "\(key): the block's layers do not fit each other")
  }

  /// The block's output [batch, height, width, out] for `x` [batch, height, width, in].
  package func callAsFunction(_ x: Tensor) -> Tensor {
    let image = ImageShape(x, key)
    precondition(
      image.channels == inputs, "\(key): input \(x.shape) does not have \(inputs) channels")
    let conv = settings.kernel(
      input: ImageShape([image.batch, image.height, image.width, filterShape[3]]),
      weight: filterShape)
    let shape = [image.batch, conv.out_height, conv.out_width, outputs]
    precondition(
      !hasResidual || shape == x.shape, "\(key): output \(shape) does not have the input's shape")
    return LayerTimes.measure(key, work: work(x, conv)) {
      Tensor(shape: shape) { y in
        x.withUnsafeBuffer { x in
          withKernelForm(conv) { block in
            _ = Tensor(shape: [df_f32_mbconv_space(block)]) { space in
              df_f32_mbconv(block, x.baseAddress, space.baseAddress, y.baseAddress)
            }
          }
        }
      }
    }
  }

  private func work(_ x: Tensor, _ conv: df_conv2d) -> LayerWork {
    let wide = conv.outputShape
    let squeezed = [conv.batch, 1, 1, reduce?.outputs ?? 0]
    let filter = LayerWork(
      .depthwise, input: [conv.batch, conv.in_height, conv.in_width, conv.in_channels],
      output: wide, weights: filterShape.reduce(1, *),
      multiplyAdds: wide.reduce(1, *) * filterShape[0] * filterShape[1])
    let parts = [
      widen?.work(x.shape), filter, reduce?.work([conv.batch, 1, 1, filterShape[3]]),
      excite?.work(squeezed), project.work(wide),
    ]
    return LayerWork(fusing: parts.compactMap { $0 })
  }

  private func withKernelForm(
    _ conv: df_conv2d, _ body: (UnsafePointer<df_mbconv>) -> Void
  ) {
    var block = df_mbconv()
    block.depthwise = conv
    block.in_channels = inputs
    block.squeezed = reduce?.outputs ?? 0
    block.out_channels = outputs
    block.activation = activation.kernel
    block.has_residual = hasResidual
    PackedProduct.withPointers(widen) { widen, bias in
      block.widen = widen
      block.widen_bias = bias
      PackedProduct.withPointers(reduce) { reduce, bias in
        block.reduce = reduce
        block.reduce_bias = bias
        PackedProduct.withPointers(excite) { excite, bias in
          block.excite = excite
          block.excite_bias = bias
          PackedProduct.withPointers(project) { project, bias in
            block.project = project
            block.project_bias = bias
            filters.withUnsafeBuffer { filters in
              block.filters = filters.baseAddress
              PackedNorm.withKernelForms(norms) { first, second, third in
                block.norms = (first, second, third)
                withUnsafePointer(to: &block, body)
              }
            }
          }
        }
      }
    }
  }
}

/// A 1x1 convolution's weights in panels.
private struct PackedProduct {
  let inputs: Int
  let outputs: Int
  private let panels: Tensor
  private let bias: Tensor?

  init(_ conv: Conv2d, norm: NormLayer?) {
    let shape = conv.weight.shape
    precondition(
      shape[0] == 1 && shape[1] == 1 && conv.settings.groups == 1 && conv.settings.stride == 1,
      "\(conv.weight.key): \(shape) is not a 1x1 convolution")
    let folding = (norm?.batch).map { NormFolding($0, after: conv) }
    inputs = shape[2]
    outputs = shape[3]
    panels = conv.packedInPanels(folding)
    bias = folding?.bias ?? conv.bias?.value
  }

  func work(_ input: [Int]) -> LayerWork {
    let pixels = input.dropLast().reduce(1, *)
    return LayerWork(
      .pointwise, input: input, output: input.dropLast() + [outputs], weights: inputs * outputs,
      multiplyAdds: pixels * inputs * outputs)
  }

  /// Calls `body` with pointers to panels and bias; both are nil if there is no product.
  static func withPointers(
    _ product: PackedProduct?, _ body: (UnsafePointer<Float>?, UnsafePointer<Float>?) -> Void
  ) {
    (product?.panels).withUnsafePointer { panels in
      (product?.bias).withUnsafePointer { body(panels, $0) }
    }
  }
}

/// The parameters of a group norm.
private struct PackedNorm {
  private let groups: Int
  private let epsilon: Float
  private let scale: Tensor
  private let shift: Tensor

  /// Takes over the values of a group norm and releases its parameters; nil for a batch norm.
  init?(_ norm: NormLayer) {
    guard case .group(let norm) = norm else { return nil }
    groups = norm.groups
    epsilon = norm.epsilon
    scale = norm.weight.value
    shift = norm.bias.value
    norm.weight.release()
    norm.bias.release()
    precondition(
      scale.count % groups == 0 && shift.count == scale.count,
      "\(norm.weight.key): \(groups) groups do not divide \(scale.count) channels")
  }

  /// Calls `body` with three norms in the kernels' form.
  static func withKernelForms(
    _ norms: [PackedNorm?], _ body: (df_block_norm, df_block_norm, df_block_norm) -> Void
  ) {
    withKernelForm(norms[0]) { first in
      withKernelForm(norms[1]) { second in
        withKernelForm(norms[2]) { body(first, second, $0) }
      }
    }
  }

  private static func withKernelForm(_ norm: PackedNorm?, _ body: (df_block_norm) -> Void) {
    guard let norm else { return body(df_block_norm()) }
    norm.scale.withUnsafeBuffer { scale in
      norm.shift.withUnsafeBuffer { shift in
        body(
          df_block_norm(
            groups: norm.groups, epsilon: norm.epsilon, scale: scale.baseAddress,
            shift: shift.baseAddress))
      }
    }
  }
}
