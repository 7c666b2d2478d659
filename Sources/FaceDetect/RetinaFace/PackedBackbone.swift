import DeepfakeCore

extension Backbone<ConvNorm> {
  /// The backbone ready for inference, which can begin with images; the parameters are released.
  ///
  /// The first stage's maps are large and have few channels: all of it that can is one chain, from
  /// bytes on. Further on, where parts of a chain that several threads make would share many of
  /// their rows, each separable convolution is a chain of its own.
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

  /// Removes the blocks that make a chain's next layer from the front of `layers`; nil where it is
  /// something else.
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

extension ConvNorm {
  fileprivate var isDepthwise: Bool { conv.settings.groups > 1 }

  fileprivate var link: ConvolutionChain.Block {
    ConvolutionChain.Block(conv, norm: norm, activation: activation)
  }
}

extension Backbone<PackedBlock> {
  /// The feature maps of images of one size, finest first.
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
