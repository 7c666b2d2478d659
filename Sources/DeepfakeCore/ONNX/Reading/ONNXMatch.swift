/// Finds the layers of one network in the graph of a file that has lost their names.
package struct ONNXMatch {
  private let file: StateDict
  private let found: ONNXLayers
  private let own: ONNXLayers
  private let model: ONNXModel
  private let title: String

  /// - Parameters:
  ///   - file: The file's tensors and graph.
  ///   - model: The network, traced (`ONNXModel.init(structureOf:)`), with the keys that the
  ///     tensors shall get.
  ///   - title: The network's name in errors.
  /// - Throws: `WeightsError` if the file's graph is too large or its weights are not stored.
  package init(
    _ file: StateDict, _ model: ONNXModel, title: String
  ) throws(WeightsError) {
    self.file = file
    self.model = model
    self.title = title
    found = try ONNXLayers(file.graph?.nodes ?? [], file)
    own = try ONNXLayers(model.nodes, model.tensors)
  }

  /// The file's tensors with the network's keys. A norm that is folded into a layer's weights
  /// becomes one that only adds the layer's bias.
  ///
  /// - Throws: `WeightsError.unreadable` with the first difference if the graph is not this
  ///   network's; `.mismatch` if it lacks layers.
  package func state() throws(WeightsError) -> StateDict {
    var state = StateDict(tensors: [], metadata: file.metadata, file: file.file)
    // For each of the file's layers, the place of the network's.
    var places: [Int] = []
    var free = Array(own.all.indices)
    for layer in found.all {
      let sources = Set(layer.sources.map { places[$0] })
      let match = free.firstIndex {
        own.all[$0].shape == layer.shape && own.all[$0].sources == sources
          && own.all[$0].isConvolution == layer.isConvolution
      }
      guard let match else {
        let before = sources.map { own.all[$0].weight }.sorted().joined(separator: ", ")
        throw different(
          "its \(layer.noun) \(layer.node.name), of shape \(layer.shape) and after"
            + " \(before.isEmpty ? "the input" : before), matches no \(layer.noun) of \(title)")
      }
      let place = free.remove(at: match)
      places.append(place)
      try check(layer, own.all[place], isLast: !own.read.contains(place))
      try add(layer, own.all[place], to: &state)
    }
    guard free.isEmpty else {
      var mismatch = WeightsMismatch(file: file.file)
      mismatch.missing = free.map { own.all[$0].weight }
      throw .mismatch(mismatch)
    }
    let missing = model.tensors.keys.filter { state[$0] == nil }
    guard missing.isEmpty else {
      var mismatch = WeightsMismatch(file: file.file)
      mismatch.missing = missing
      throw .mismatch(mismatch)
    }
    return state
  }

  private func check(
    _ found: ONNXLayers.Layer, _ own: ONNXLayers.Layer, isLast: Bool
  ) throws(WeightsError) {
    if let foreign = found.foreign {
      throw different("it has the operation \(foreign) before \(own.weight)")
    }
    if own.isConvolution {
      for (name, usual) in [("strides", [1, 1]), ("dilations", [1, 1]), ("group", [1])]
        as [(String, [Int64])]
      {
        let (value, expected) = (
          found.node.integers(name, otherwise: usual), own.node.integers(name, otherwise: usual)
        )
        guard value == expected else {
          throw different("\(name) of \(own.weight) are \(value), not \(expected)")
        }
      }
      guard [nil, .text("NOTSET")].contains(found.node.attributes["auto_pad"]) else {
        throw different("the padding of \(own.weight) depends on the input's size (auto_pad)")
      }
      guard found.pads == own.pads else {
        throw different("pads of \(own.weight) are \(found.pads), not \(own.pads)")
      }
    }
    // What follows the last layers is not the network's: some files end with a sigmoid.
    guard isLast || found.activations == own.activations else {
      func text(_ names: Set<String>) -> String {
        names.isEmpty ? "no nonlinear function" : names.sorted().joined(separator: " and ")
      }
      throw different(
        "\(own.weight) must be followed by \(text(own.activations)), not"
          + " \(text(found.activations))")
    }
  }

  private func add(
    _ found: ONNXLayers.Layer, _ own: ONNXLayers.Layer, to state: inout StateDict
  ) throws(WeightsError) {
    let channels = found.shape[0]
    state[own.weight] = found.isTransposed ? file[found.weight]?.transposed : file[found.weight]
    func values(_ key: String?) throws(WeightsError) -> Tensor? {
      guard let key, let stored = file[key] else { return nil }
      guard stored.count == channels else {
        throw different("\(own.weight) has a bias or norm of a wrong size")
      }
      return try stored.tensor().reshaped([channels])
    }
    func set(_ key: String?, _ value: Tensor) {
      guard let key else { return }
      state[key] = StateDict(tensors: [.init(key, value)], file: file.file)[key]
    }
    for (name, other) in [
      (own.scale, found.scale), (own.shift, found.shift), (own.slopes, found.slopes),
    ] {
      if let value = try values(other) { set(name, value) }
    }
    let zero = Tensor(zeros: [channels])
    let bias = try values(found.bias) ?? zero
    guard let norm = own.norm else {
      guard found.norm == nil else { throw different("a norm follows \(own.weight)") }
      return set(own.bias, bias)
    }
    let one = Tensor(repeating: 1, shape: [channels])
    guard let other = found.norm, let mean = try values(other.mean),
      let variance = try values(other.variance), let scale = try values(other.scale),
      let shift = try values(other.shift)
    else {
      set(norm.scale, one)
      set(norm.shift, bias)
      set(norm.mean, zero)
      // The layer adds epsilon to the variance, so the factor becomes 1.
      return set(norm.variance, one - norm.epsilon)
    }
    set(norm.scale, scale)
    set(norm.shift, shift)
    set(norm.mean, own.bias == nil ? mean - bias : mean)
    set(norm.variance, variance + (other.epsilon - norm.epsilon))
    set(own.bias, bias)
  }

  private func different(_ reason: String) -> WeightsError {
    .unreadable(file: file.file, reason: "its graph is not \(title)'s: \(reason)")
  }
}

extension ONNXGraph {
  /// The shapes of the weights of all layers of a file's graph, as PyTorch has them, in execution
  /// order, and the largest number of groups of its group norms, if it has any.
  ///
  /// - Throws: `WeightsError` if the graph is too large, or if weights are not stored.
  package func layers(
    _ tensors: StateDict
  ) throws(WeightsError) -> (shapes: [[Int]], groups: Int?) {
    let layers = try ONNXLayers(nodes, tensors)
    return (layers.all.map(\.shape), layers.groupCounts.max())
  }
}
