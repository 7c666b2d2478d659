import DeepfakeCore

/// How a network's convolutions treat the border; it belongs to the weights.
public enum PaddingMode: Sendable, Equatable {
  /// Half the kernel on every side, as PyTorch's own networks.
  case symmetric
  /// TensorFlow's SAME, computed from each input.
  case sameFromInput
  /// TensorFlow's SAME, computed once for the network's native size, whatever the input's.
  case sameFromNativeSize
}

/// All that defines an EfficientNet but its weights.
public struct EfficientNetConfiguration: Sendable, Equatable {
  /// Which member of the family.
  public var variant: EfficientNetVariant
  /// Outputs.
  public var classCount: Int
  /// The norm everywhere.
  public var norm: Norm
  /// The convolutions' borders.
  public var padding: PaddingMode
  /// The stages that are there, from the first. A network without the last ones sees small regions only, which
  /// makes it harder to go by whose face it is (Chai et al., "What makes fake images detectable?", ECCV 2020).
  public var stageCount: Int
  /// The probability of dropout before the classifier, in training.
  public var dropout: Float
  /// The probability that the last block is skipped for an image in training; earlier blocks' are
  /// proportionally smaller, the first's 0.
  public var stochasticDepth: Float

  /// A member with its own dropout unless another is given.
  public init(
    _ variant: EfficientNetVariant, classCount: Int = 1, norm: Norm = .batch,
    padding: PaddingMode = .symmetric, stageCount: Int? = nil, dropout: Float? = nil,
    stochasticDepth: Float = 0.2
  ) {
    let stages = stageCount ?? EfficientNetVariant.stages.count
    precondition(classCount > 0, "EfficientNet: \(classCount) classes")
    precondition(
      (1...EfficientNetVariant.stages.count).contains(stages), "EfficientNet: \(stages) stages")
    self.variant = variant
    self.classCount = classCount
    self.norm = norm
    self.padding = padding
    self.stageCount = stages
    self.dropout = dropout ?? variant.dropout
    self.stochasticDepth = stochasticDepth
  }
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

extension EfficientNetConfiguration {
  /// The network spelled out.
  package struct Plan: Sendable, Equatable {
    var stemChannels: Int
    var stemPadding: Padding
    /// Everywhere but after projections.
    var activation: Activation
    package var stages: [[MBConvSpec]]
    var headChannels: Int
  }

  package var plan: Plan {
    var size = variant.nativeSize
    // The padding of a layer; strided layers shrink the native size that is kept track of.
    func padding(kernel: Int, stride: Int) -> Padding {
      defer { size = size.dividedRoundingUp(by: stride) }
      switch self.padding {
      case .symmetric: return .symmetric(kernel / 2)
      case .sameFromInput: return .sameFromInput
      case .sameFromNativeSize:
        return .same(nativeSize: size, kernel: kernel, stride: stride, dilation: 1)
      }
    }

    let used = EfficientNetVariant.stages.prefix(stageCount)
    let blockCount = used.indices.reduce(0) { $0 + variant.blockCount(ofStage: $1) }
    var channels = variant.stemChannels
    var plan = Plan(
      stemChannels: channels, stemPadding: padding(kernel: 3, stride: 2),
      activation: variant.isLite ? .relu6 : .silu, stages: [], headChannels: variant.headChannels)
    var index = 0
    for (number, stage) in used.enumerated() {
      let outChannels = variant.scaledChannels(stage.channels)
      var blocks: [MBConvSpec] = []
      for i in 0..<variant.blockCount(ofStage: number) {
        let stride = i == 0 ? stage.stride : 1
        blocks.append(
          MBConvSpec(
            kernel: stage.kernel, stride: stride, inChannels: channels,
            expandedChannels: channels * stage.expansion, outChannels: outChannels,
            padding: padding(kernel: stage.kernel, stride: stride),
            activation: plan.activation, squeezes: !variant.isLite,
            dropRate: stochasticDepth * Float(index) / Float(blockCount)))
        channels = outChannels
        index += 1
      }
      plan.stages.append(blocks)
    }
    return plan
  }
}
