import DeepfakeCore

/// A convolution of RetinaFace and its place in the graph of an ONNX file: the convolutions that it
/// reads and the activation that follows. Such files lose the names of tensors, so places and
/// shapes identify them.
struct GraphLayer {
  let conv: Conv2d
  /// The norm, which an export may fold into the convolution; nil for a head.
  let norm: BatchNorm2d?
  /// The activation before the next convolution; nil: any.
  let activation: Activation?
  /// Keys of the convolutions whose outputs it reads; empty if it reads the frame.
  let sources: Set<String>

  var key: String { conv.weight.key }
  /// The shape of the weights in files.
  var shape: [Int] { conv.weight.layout.fileShape(conv.weight.shape) }
}

extension PlainRetinaFace {
  /// The network's convolutions in the order in which its authors' code runs them. That order also
  /// distinguishes two convolutions with the same sources and the same shape.
  var graphLayers: [GraphLayer] {
    var list = GraphLayerList()
    var x: Set<String> = []
    let features = backbone.stages.map { stage in
      for layer in stage { x = list.add(layer, after: x) }
      return x
    }
    let laterals = zip(pyramid.laterals, features).map { list.add($0, after: $1) }
    var maps = Array(laterals.suffix(1))
    for level in pyramid.merges.indices.reversed() {
      maps.insert(list.add(pyramid.merges[level], after: laterals[level].union(maps[0])), at: 0)
    }
    let contexts = zip(contexts, maps).map { list.add($0, after: $1) }
    for (head, context) in zip(heads, contexts) {
      for conv in [head.classes, head.boxes, head.landmarks] {
        list.layers.append(GraphLayer(conv: conv, norm: nil, activation: nil, sources: context))
      }
    }
    return list.layers
  }
}

private struct GraphLayerList {
  var layers: [GraphLayer] = []

  /// Adds a block; `ending` is the activation if it comes later, after a sum or a concatenation.
  mutating func add(
    _ block: BatchNormConvolution, ending: Activation? = nil, after sources: Set<String>
  ) -> Set<String> {
    layers.append(
      GraphLayer(
        conv: block.conv, norm: block.norm, activation: ending ?? block.activation,
        sources: sources))
    return [block.conv.weight.key]
  }

  mutating func add(_ layer: Backbone<BatchNormConvolution>.Layer, after x: Set<String>) -> Set<
    String
  > {
    switch layer {
    case .block(let block): return add(block, after: x)
    case .maxPool: return x
    case .bottleneck(let bottleneck):
      let inner = add(bottleneck.spatial, after: add(bottleneck.reduce, after: x))
      let expanded = add(bottleneck.expand, ending: .relu, after: inner)
      let identity = bottleneck.projection.map { add($0, ending: .relu, after: x) }
      return expanded.union(identity ?? x)
    case .chain: preconditionFailure("RetinaFace: a packed layer has no parameters to match")
    }
  }

  mutating func add(_ context: ContextModule, after x: Set<String>) -> Set<String> {
    let near = add(context.near, ending: .relu, after: x)
    let shared = add(context.shared, after: x)
    let middle = add(context.middle, ending: .relu, after: shared)
    let farther = add(context.farther, ending: .relu, after: add(context.far, after: shared))
    return near.union(middle).union(farther)
  }
}
