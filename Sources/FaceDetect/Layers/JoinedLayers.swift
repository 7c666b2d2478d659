import DeepfakeCore

// Convolutions that read the same input are faster as one convolution with all their output
// channels: the input is read once, and the wider output fills the kernels' tiles better.

/// The scope, in a new store, for a layer that replaces the layers with these weights.
private func scope(joining weights: [Parameter]) -> Scope {
  let keys = weights.map { $0.key.dropLast(".weight".count) }
  return ParameterStore().root / keys.joined(separator: "+")
}

extension Conv2d {
  /// One convolution with the output channels of all `parts`, in order. The parts must have the
  /// same settings otherwise. Their parameters are released.
  init(joining parts: [Conv2d]) {
    let weights = parts.map(\.weight.value)
    let biases = parts.compactMap(\.bias?.value)
    precondition(
      parts.allSatisfy { $0.settings == parts[0].settings && $0.settings.groups == 1 }
        && (biases.isEmpty || biases.count == parts.count),
      "Conv2d: \(parts.map(\.weight.key)) differ in more than their outputs")
    let weight = Tensor.concatenated(weights, axis: 3)
    let settings = parts[0].settings
    self.init(
      scope(joining: parts.map(\.weight)), weight.shape[2], weight.shape[3],
      kernel: weight.shape[0],
      stride: settings.stride.height, padding: settings.padding,
      dilation: settings.dilation.height, bias: !biases.isEmpty)
    self.weight.value = weight
    self.bias?.value = Tensor.concatenated(biases, axis: 0)
    for part in parts {
      part.weight.release()
      part.bias?.release()
    }
  }
}

extension BatchNorm2d {
  /// One norm with the channels of all `parts`, in order. The parts must have the same epsilon.
  /// Their parameters are released.
  init(joining parts: [BatchNorm2d]) {
    precondition(
      parts.allSatisfy { $0.epsilon == parts[0].epsilon },
      "BatchNorm2d: \(parts.map(\.weight.key)) differ in epsilon")
    let kinds: [KeyPath<BatchNorm2d, Parameter>] = [
      \.weight, \.bias, \.runningMean, \.runningVariance,
    ]
    let channels = parts.reduce(0) { $0 + $1.weight.shape[0] }
    self.init(
      scope(joining: parts.map(\.weight)), channels, epsilon: parts[0].epsilon,
      momentum: parts[0].momentum)
    for kind in kinds {
      self[keyPath: kind].value = Tensor.concatenated(
        parts.map { $0[keyPath: kind].value }, axis: 0)
      for part in parts { part[keyPath: kind].release() }
    }
  }
}

extension PackedBlock {
  /// One block for all `parts`. A PReLU replaces their activations: it multiplies each part's
  /// negative outputs by the part's slope.
  init(joining parts: [BatchNormConvolution], slopes: [Float]) {
    precondition(parts.count == slopes.count, "PackedBlock: \(slopes) for \(parts.count) parts")
    let each = zip(parts, slopes).flatMap { part, slope in
      [Float](repeating: slope, count: part.conv.weight.shape[3])
    }
    let activation = PReLU(ParameterStore().root, each.count)
    activation.weight.value = Tensor(each, shape: [each.count])
    conv = PackedConv2d(
      Conv2d(joining: parts.map(\.conv)), norm: BatchNorm2d(joining: parts.map(\.norm)),
      prelu: activation)
  }
}

extension Linear {
  /// One layer with the outputs of all `parts`, in order. Each part must have a bias. Their
  /// parameters are released.
  init(joining parts: [Linear]) {
    let biases = parts.compactMap(\.bias?.value)
    precondition(
      biases.count == parts.count, "Linear: \(parts.map(\.weight.key)) must each have a bias")
    let weight = Tensor.concatenated(parts.map(\.weight.value), axis: 1)
    self.init(scope(joining: parts.map(\.weight)), weight.shape[0], weight.shape[1])
    self.weight.value = weight
    bias?.value = Tensor.concatenated(biases, axis: 0)
    for part in parts {
      part.weight.release()
      part.bias?.release()
    }
  }
}
