import DeepfakeCore

extension Backbone<BatchNormConvolution> {
  /// The backbone packed for inference. It can read images directly. The parameters are released.
  ///
  /// The first stage has large maps with few channels: as many of its layers as possible form one
  /// chain, beginning with the image's bytes. In later stages, threads working on parts of a long
  /// chain would compute many of the same rows; there each separable convolution is a chain of its
  /// own.
  func packed(normalization: PixelNormalization) -> Backbone<PackedBlock> {
    Backbone<PackedBlock>(
      stages: stages.enumerated().map { index, stage in
        var layers: [Backbone<PackedBlock>.Layer] = []
        var rest = stage[...]
        if index == 0 {
          let first = Array(sequence(state: ()) { _ in Self.takeChainLayer(&rest) })
          layers.append(.chain(ConvolutionChain(first, normalization: normalization)))
        }
        while let next = rest.first {
          if case .block(let block) = next, block.isDepthwise,
            let layer = Self.takeChainLayer(&rest)
          {
            layers.append(.chain(ConvolutionChain([layer])))
          } else {
            layers.append(next.map { $0.packed() })
            rest.removeFirst()
          }
        }
        return layers
      })
  }

  /// Removes the blocks of the next chain layer from the front of `layers` and returns the layer;
  /// nil if the front is not a block.
  private static func takeChainLayer(_ layers: inout ArraySlice<Layer>) -> ConvolutionChain.Layer? {
    guard case .block(let block)? = layers.popFirst(unless: { !$0.isBlock }) else { return nil }
    guard block.isDepthwise else { return .plain(block.link) }
    guard case .block(let pointwise)? = layers.popFirst(unless: { !$0.isBlock }) else {
      preconditionFailure("\(block.conv.weight.key): nothing follows the depthwise convolution")
    }
    return .separable(depthwise: block.link, pointwise: pointwise.link)
  }
}

extension Backbone.Layer {
  fileprivate var isBlock: Bool {
    if case .block = self { true } else { false }
  }
}

extension ArraySlice {
  fileprivate mutating func popFirst(unless isKept: (Element) -> Bool) -> Element? {
    guard let first, !isKept(first) else { return nil }
    removeFirst()
    return first
  }
}

extension BatchNormConvolution {
  fileprivate var isDepthwise: Bool { conv.settings.groups > 1 }

  fileprivate var link: ConvolutionChain.Block {
    ConvolutionChain.Block(conv, norm: norm, activation: activation)
  }
}

extension Backbone<PackedBlock> {
  /// The feature maps of images of one size, the finest first.
  func callAsFunction(_ images: [Image]) -> [Tensor] {
    guard case .chain(let chain)? = stages[0].first else {
      preconditionFailure("RetinaFace: the backbone does not begin with a chain")
    }
    var x = chain(images)
    return stages.enumerated().map { index, stage in
      for layer in stage.dropFirst(index == 0 ? 1 : 0) { x = layer(x, .inference) }
      return x
    }
  }
}
