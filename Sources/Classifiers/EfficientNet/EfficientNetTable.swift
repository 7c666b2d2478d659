import DeepfakeCore

/// An EfficientNet as the table of its paper: one row per stage.
struct EfficientNetTable: Sendable {
  /// A row of the table. Its blocks are equal, except that the first has the stage's stride and the
  /// input width of the stage before.
  struct Stage: Sendable {
    var repeats: Int
    var kernel: Int
    var stride: Int
    /// How many times wider a block's inner maps are than its input.
    var expansion: Int
    var channels: Int
  }

  var stemChannels: Int
  var stages: [Stage]
  var headChannels: Int
  /// The side, in pixels, of the images that the network was designed for.
  var nativeSize: Int
  /// The activation after every convolution except the blocks' last ones (the projections).
  var activation = Activation.silu
  /// Whether blocks have squeeze and excitation.
  var squeezes = true
}

/// One inverted bottleneck block (Sandler et al. 2018).
package struct MBConvSpec: Sendable, Equatable {
  var kernel: Int
  var stride: Int
  var inChannels: Int
  var expandedChannels: Int
  var outChannels: Int
  var padding: Padding
  /// The activation after the expansion and after the depthwise convolution.
  var activation: Activation
  /// Whether the block has squeeze and excitation.
  var squeezes: Bool
  package var dropRate: Float

  var squeezedChannels: Int { max(1, inChannels / 4) }
  var expands: Bool { expandedChannels != inChannels }
  var hasResidual: Bool { stride == 1 && inChannels == outChannels }
}

/// A table expanded into its blocks.
package struct EfficientNetPlan: Sendable, Equatable {
  var stemChannels: Int
  var stemPadding: Padding
  var activation: Activation
  package var stages: [[MBConvSpec]]
  var headChannels: Int
}

extension EfficientNetTable {
  /// Expands the table into blocks.
  ///
  /// - Parameters:
  ///   - stageCount: Number of stages, counted from the first; nil: all.
  ///   - stochasticDepth: Block i of n is skipped in training with probability `stochasticDepth` *
  ///     i / n, so the first block is never skipped.
  func plan(
    stageCount: Int? = nil, padding mode: PaddingMode = .symmetric, stochasticDepth: Float = 0
  ) -> EfficientNetPlan {
    var size = nativeSize
    // The padding of the next layer. A strided layer shrinks `size`, the size of the maps for an
    // input of the native size.
    func padding(kernel: Int, stride: Int) -> Padding {
      defer { size = (size + stride - 1) / stride }
      switch mode {
      case .symmetric: return .symmetric(kernel / 2)
      case .sameFromInput: return .sameFromInput
      case .sameFromNativeSize:
        return .same(nativeSize: size, kernel: kernel, stride: stride, dilation: 1)
      }
    }

    let used = stages.prefix(stageCount ?? stages.count)
    let blockCount = used.reduce(0) { $0 + $1.repeats }
    var channels = stemChannels
    var plan = EfficientNetPlan(
      stemChannels: channels, stemPadding: padding(kernel: 3, stride: 2),
      activation: activation, stages: [], headChannels: headChannels)
    var index = 0
    for stage in used {
      var blocks: [MBConvSpec] = []
      for i in 0..<stage.repeats {
        let stride = i == 0 ? stage.stride : 1
        blocks.append(
          MBConvSpec(
            kernel: stage.kernel, stride: stride, inChannels: channels,
            expandedChannels: channels * stage.expansion, outChannels: stage.channels,
            padding: padding(kernel: stage.kernel, stride: stride), activation: activation,
            squeezes: squeezes, dropRate: stochasticDepth * Float(index) / Float(blockCount)))
        channels = stage.channels
        index += 1
      }
      plan.stages.append(blocks)
    }
    return plan
  }
}

extension EfficientNetPlan {
  /// The stem, the stages and the head, with timm's keys: the network up to the maps that are
  /// pooled.
  func layers(_ scope: Scope, _ norm: Norm, inputs: Int = 3) -> [[any Module]] {
    func unit(
      _ name: String, _ normName: String, _ inputs: Int, _ outputs: Int, kernel: Int,
      stride: Int = 1, padding: Padding = .none
    ) -> ConvNorm {
      ConvNorm(
        convolution: Conv2d(
          scope / name, inputs, outputs, kernel: kernel, stride: stride, padding: padding,
          bias: false),
        norm: NormLayer(scope / normName, outputs, norm), activation: activation)
    }
    let stem = unit(
      "conv_stem", "bn1", inputs, stemChannels, kernel: 3, stride: 2, padding: stemPadding)
    let blocks = stages.enumerated().map { s, blocks in
      blocks.enumerated().map { i, spec -> any Module in
        MBConv(scope / "blocks" / s / i, spec, norm: norm)
      }
    }
    let lastChannels = stages.last?.last?.outChannels ?? stemChannels
    return [[stem]] + blocks + [[unit("conv_head", "bn2", lastChannels, headChannels, kernel: 1)]]
  }

  /// The index, in `layers`, of the first stage that processes a whole batch of images of this size
  /// at once: from there on weights are so much larger than maps that it is faster to read them
  /// once for all images. The head is always processed so.
  func batchedStage(height: Int, width: Int) -> Int {
    var pixels = height * width / 4
    for (i, stage) in stages.enumerated() {
      if stage.contains(where: { $0.stride > 1 }) { pixels /= 4 }
      // Compares the weights per channel of the last block's widened map with the pixels of that
      // map.
      if let last = stage.last,
        last.inChannels + last.outChannels > Self.weightsOverMaps * pixels
      {
        return i + 1
      }
    }
    return stages.count + 1
  }

  /// How many times larger than the maps the weights must be; found by measurement.
  private static let weightsOverMaps = 2
}
