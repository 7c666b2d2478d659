import DeepfakeCore

extension StateDict {
  /// For an ONNX model of RetinaFace, its tensors with the keys of a published checkpoint; for any
  /// other file, the tensors unchanged.
  ///
  /// Exports fold batch norm into the convolutions and lose names. Each convolution of the graph is
  /// identified by the convolutions that it reads and by the shape of its weights. A norm that was
  /// folded in becomes one that only adds the convolution's bias.
  /// - Throws: `WeightsError.unreadable` with the first difference if the graph is not
  ///   RetinaFace's.
  public func renamedFromRetinaFaceGraph() throws(WeightsError) -> StateDict {
    guard let graph else { return self }
    let found = try GraphConvolutions(graph, self)
    // The shape of the first convolution identifies the backbone.
    let networks = RetinaFaceBackbone.allCases.lazy.map {
      PlainRetinaFace($0, ParameterStore().root).graphLayers
    }
    guard let first = found.all.first,
      let layers = networks.first(where: { $0.first?.shape == first.weight.shape })
    else {
      throw .unreadable(
        file: file,
        reason: "its graph does not match a RetinaFace detector with a mobilenet0.25 or ResNet-50"
          + " backbone: it begins with "
          + (found.all.first.map { "a convolution of shape \($0.weight.shape)" }
            ?? "no convolution"))
    }
    return try GraphMatch(file: file, layers: layers).state(of: found.all, metadata)
  }
}

/// Matches the layers of a network with the convolutions of a graph.
private struct GraphMatch {
  let file: String
  let layers: [GraphLayer]

  func state(
    of convolutions: [GraphConvolutions.Convolution], _ metadata: [String: String]
  ) throws(WeightsError) -> StateDict {
    var state = StateDict(tensors: [], metadata: metadata, file: file)
    var keys: [String] = []
    var free = layers
    for convolution in convolutions {
      let sources = Set(convolution.sources.map { keys[$0] })
      let place = free.firstIndex {
        $0.shape == convolution.weight.shape && $0.sources == sources
      }
      guard let place else {
        throw different(
          "its convolution \(convolution.node.name), of shape \(convolution.weight.shape) and after"
            + " \(sources.isEmpty ? "the frame" : sources.sorted().joined(separator: ", ")),"
            + " matches no convolution of RetinaFace")
      }
      let layer = free.remove(at: place)
      try check(convolution, layer)
      keys.append(layer.key)
      try add(convolution, layer, to: &state)
    }
    guard free.isEmpty else {
      var mismatch = WeightsMismatch(file: file)
      mismatch.missing = free.map(\.key)
      throw .mismatch(mismatch)
    }
    return state
  }

  private func check(
    _ found: GraphConvolutions.Convolution, _ layer: GraphLayer
  ) throws(WeightsError) {
    if let foreign = found.foreign {
      throw different("it has the operation \(foreign) before \(layer.key)")
    }
    let kernel = layer.shape.dropFirst(2).map(Int64.init)
    let stride = Int64(layer.conv.settings.stride.height)
    let expected: [(name: String, values: [Int64], usual: [Int64])] = [
      ("strides", [stride, stride], [1, 1]), ("dilations", [1, 1], [1, 1]),
      ("group", [Int64(layer.conv.settings.groups)], [1]),
      ("pads", (kernel + kernel).map { $0 / 2 }, [0, 0, 0, 0]),
    ]
    for (name, values, usual) in expected
    where found.node.integers(name, otherwise: usual) != values {
      throw different(
        "\(name) of \(layer.key) are \(found.node.integers(name, otherwise: usual)), not \(values)")
    }
    guard [nil, .text("NOTSET")].contains(found.node.attributes["auto_pad"]) else {
      throw different("the padding of \(layer.key) depends on the frame's size (auto_pad)")
    }
    if let activation = layer.activation {
      guard let other = found.activation, other.isClose(to: activation) else {
        throw different("\(layer.key) must be followed by \(activation)")
      }
    }
  }

  private func add(
    _ found: GraphConvolutions.Convolution, _ layer: GraphLayer, to state: inout StateDict
  ) throws(WeightsError) {
    let channels = layer.shape[0]
    state[layer.key] = found.weight
    for vector in [
      found.bias, found.norm?.scale, found.norm?.shift, found.norm?.mean, found.norm?.variance,
    ] where vector.map({ $0.shape != [channels] }) ?? false {
      throw different("\(layer.key) has a bias or norm of a wrong size")
    }
    func set(_ parameter: Parameter?, _ value: Tensor) {
      guard let key = parameter?.key else { return }
      state[key] = StateDict(tensors: [.init(key, value)], file: file)[key]
    }
    let zero = Tensor(zeros: [channels])
    let bias = try found.bias?.tensor() ?? zero
    guard let norm = layer.norm else {
      guard found.norm == nil else { throw different("a norm follows \(layer.key)") }
      return set(layer.conv.bias, bias)
    }
    let one = Tensor([Float](repeating: 1, count: channels), shape: [channels])
    guard let stored = found.norm else {
      set(norm.weight, one)
      set(norm.bias, bias)
      set(norm.runningMean, zero)
      // The layer adds epsilon to the variance, so the factor becomes 1.
      set(norm.runningVariance, one - norm.epsilon)
      return
    }
    set(norm.weight, try stored.scale.tensor())
    set(norm.bias, try stored.shift.tensor())
    set(norm.runningMean, try stored.mean.tensor() - bias)
    set(norm.runningVariance, try stored.variance.tensor() + (stored.epsilon - norm.epsilon))
  }

  private func different(_ reason: String) -> WeightsError {
    .unreadable(file: file, reason: "its graph is not RetinaFace's: \(reason)")
  }
}

extension Activation {
  fileprivate func isClose(to other: Activation) -> Bool {
    switch (self, other) {
    case (.leakyReLU(let a), .leakyReLU(let b)): abs(a - b) < 1e-6
    default: self == other
    }
  }
}
