import DeepfakeCore

/// RetinaFace as published for PyTorch (biubug6): a backbone, a feature pyramid, and per level a
/// context module and a head (Deng et al. 2019, without the mesh decoder).
package struct RetinaFaceNetwork<Block: ConvolutionBlock, Context: Module, Head: Module>: Sendable {
  let backbone: Backbone<Block>
  let pyramid: Pyramid<Block>
  let contexts: [Context]
  let heads: [Head]

  /// The outputs for frames, [batch, height, width, 3], normalised by `RetinaFace.normalization`.
  package func callAsFunction(_ frames: Tensor, _ mode: Mode = .inference) -> RetinaFaceOutput {
    outputs(
      of: backbone(frames, mode),
      grid: AnchorGrid(width: frames.shape[2], height: frames.shape[1]), mode)
  }

  private func outputs(of features: [Tensor], grid: AnchorGrid, _ mode: Mode) -> RetinaFaceOutput {
    let maps = pyramid(features, mode)
    let levels = maps.indices.map { heads[$0](contexts[$0](maps[$0], mode), mode) }
    return RetinaFaceOutput(levels: levels, grid: grid)
  }
}

extension PackedRetinaFace {
  /// The outputs for images of one size; `images` is not empty.
  package func callAsFunction(_ images: [Image]) -> RetinaFaceOutput {
    let grid = AnchorGrid(width: images[0].width, height: images[0].height)
    return outputs(of: backbone(images), grid: grid, .inference)
  }
}

/// The network with its parameters, with the published keys.
package typealias PlainRetinaFace = RetinaFaceNetwork<
  BatchNormConvolution, ContextModule, DetectionHead
>
/// The network packed for inference.
package typealias PackedRetinaFace = RetinaFaceNetwork<PackedBlock, PackedContextModule, PackedHead>

extension PlainRetinaFace {
  /// Creates the network with its parameters in `scope`.
  package init(_ kind: RetinaFaceBackbone, _ scope: Scope) {
    let channels = kind.pyramidChannels
    let levels = 0..<AnchorGrid.levelCount
    backbone = Backbone(kind, scope / "body")
    pyramid = Pyramid(scope / "fpn", inputs: kind.featureChannels, channels: channels)
    contexts = levels.map { ContextModule(scope / "ssh\($0 + 1)", channels: channels) }
    heads = levels.map { DetectionHead(scope, level: $0, channels: channels) }
  }

  /// Initialises the parameters, which are in `store`, for training.
  package func initialize(_ store: ParameterStore, seed: UInt64) {
    store.initialize(seed: seed)
    for head in heads { head.startFromPrior() }
  }

  /// Folds the norms into the weights and packs them; the parameters are released.
  package func packed() -> PackedRetinaFace {
    PackedRetinaFace(
      backbone: backbone.packed(normalization: RetinaFace.normalization),
      pyramid: pyramid.map { $0.packed() },
      contexts: contexts.map { $0.packed() }, heads: heads.map { $0.packed() })
  }
}
