import DeepfakeCore

/// An EfficientNet as its authors' table has it: a row a stage.
struct EfficientNetTable: Sendable {
  /// A row of the table: blocks that share all but their first's stride and input.
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
  /// The side of the images that the network was designed for.
  var nativeSize: Int
  /// Everywhere but after projections.
  var activation = Activation.silu
  /// Whether blocks squeeze and excite.
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
  /// After expanding and filtering.
  var activation: Activation
  /// Whether there is squeeze and excitation.
  var squeezes: Bool
  package var dropRate: Float

  var squeezedChannels: Int { max(1, inChannels / 4) }
  var expands: Bool { expandedChannels != inChannels }
  var hasResidual: Bool { stride == 1 && inChannels == outChannels }
}

/// A table spelled out, block by block.
package struct EfficientNetPlan: Sendable, Equatable {
  var stemChannels: Int
  var stemPadding: Padding
  var activation: Activation
  package var stages: [[MBConvSpec]]
  var headChannels: Int
}

extension EfficientNetTable {
  /// The network's blocks.
  ///
  /// - Parameters:
  ///   - stageCount: The stages that are there, from the first; nil for all.
  ///   - stochasticDepth: The probability that the last block is skipped in training; earlier
  ///     blocks' are proportionally smaller, the first's 0.
  func plan(
    stageCount: Int? = nil, padding mode: PaddingMode = .symmetric, stochasticDepth: Float = 0
  ) -> EfficientNetPlan {
    var size = nativeSize
    // The padding of a layer; strided layers shrink the native size that is kept track of.
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
  /// The network up to the maps that are pooled, under timm's keys: stem, stages and head.
  func layers(_ scope: Scope, _ norm: Norm) -> [[any Module]] {
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
      "conv_stem", "bn1", 3, stemChannels, kernel: 3, stride: 2, padding: stemPadding)
    let blocks = stages.enumerated().map { s, blocks in
      blocks.enumerated().map { i, spec -> any Module in
        MBConv(scope / "blocks" / s / i, spec, norm: norm)
      }
    }
    let lastChannels = stages.last?.last?.outChannels ?? stemChannels
    return [[stem]] + blocks + [[unit("conv_head", "bn2", lastChannels, headChannels, kernel: 1)]]
  }

  /// The first of the layers' stages that images of that size had better go through together: its
  /// weights are so much larger than its maps that reading them once for all counts for more. The
  /// head always is.
  func batchedStage(height: Int, width: Int) -> Int {
    var pixels = height * width / 4
    for (i, stage) in stages.enumerated() {
      if stage.contains(where: { $0.stride > 1 }) { pixels /= 4 }
      // Weights for each channel of the last block's widened map count against its pixels.
      if let last = stage.last,
        last.inChannels + last.outChannels > Self.weightsOverMaps * pixels
      {
        return i + 1
      }
    }
    return stages.count + 1
  }

  /// How many times larger than the maps the weights must be: measured.
  private static let weightsOverMaps = 2
}
