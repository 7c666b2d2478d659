import CDFKernels

/// Batch normalisation (Ioffe and Szegedy 2015) by a given mean and variance for each channel,
/// followed by an activation.
///
/// The statistics are always inputs, because in training the layer also needs them for its running
/// averages. `measured` tells the pullback whether they are functions of x.
package struct BatchNormalization: Operation {
  /// The number added to the variance before the square root.
  package let epsilon: Float
  /// Whether the statistics were computed from this x (`Tensor.channelStatistics`).
  package let measured: Bool
  /// The activation after the norm.
  package let activation: Activation

  package init(epsilon: Float, measured: Bool, activation: Activation = .identity) {
    self.epsilon = epsilon
    self.measured = measured
    self.activation = activation
  }

  /// Inputs: x [..., channels]; mean, variance, scale and shift, each [channels].
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let channels = inputs[0].shape.last ?? 0
    precondition(
      inputs[0].rank >= 2 && inputs.dropFirst().allSatisfy { $0.shape == [channels] },
      "batch norm: statistics \(inputs[1].shape), \(inputs[2].shape) and parameters"
        + " \(inputs[3].shape), \(inputs[4].shape) do not fit input \(inputs[0].shape)")
    return (kernel(inputs).output(inputs[0]), inputs)
  }

  /// The gradients of all inputs. Measured statistics have no gradient of their own: the gradient
  /// of x includes it.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let gradients = kernel(saved).gradients(
      gradient, x: saved[0], fixed: !measured, wantsX: wants[0])
    guard !measured && (wants[1] || wants[2]) else {
      return [gradients.x, nil, nil, gradients.scale, gradients.shift]
    }
    // y = scale * n + shift, where n = (x - mean) / deviation.
    let deviations = saved[2].scalars.map { (Double($0) + Double(epsilon)).squareRoot() }
    let scales = saved[3].scalars
    let (ofScale, ofShift) = (gradients.scale.scalars, gradients.shift.scalars)
    let means = scales.indices.map {
      Float(-Double(scales[$0]) * Double(ofShift[$0]) / deviations[$0])
    }
    let variances = scales.indices.map {
      let square = deviations[$0] * deviations[$0]
      return Float(-0.5 * Double(scales[$0]) * Double(ofScale[$0]) / square)
    }
    let shape = [scales.count]
    return [
      gradients.x, Tensor(means, shape: shape), Tensor(variances, shape: shape), gradients.scale,
      gradients.shift,
    ]
  }

  package func recompute(saved: [Tensor]) -> Tensor? { kernel(saved).output(saved[0]) }

  /// True: the output takes a few arithmetic operations for each element.
  package var canRecompute: Bool { true }

  /// The kernels compute a batch norm as a group norm of one image with as many groups as channels.
  private func kernel(_ inputs: [Tensor]) -> NormKernel {
    let (x, mean, variance) = (inputs[0], inputs[1].scalars, inputs[2].scalars)
    let channels = mean.count
    let statistics = mean.indices.flatMap { c in
      let inverse = 1 / (Double(variance[c]) + Double(epsilon)).squareRoot()
      return [mean[c], 0, Float(inverse), Float(inverse - Double(Float(inverse)))]
    }
    return NormKernel(
      batch: 1, pixels: channels == 0 ? 0 : x.count / channels, channels: channels,
      groups: channels, statistics: Tensor(statistics, shape: [channels, 4]), scale: inputs[3],
      shift: inputs[4], activation: activation)
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    guard !measured else { throw ONNXExportError("batch norm by the statistics of the batch") }
    let order = [Int].channelsFirst(rank: inputs[0].rank)
    // ONNX's order is scale, shift, mean, variance.
    let vectors = [3, 4, 1, 2].map { graph.name(inputs[$0]) }
    let norm = graph.value(
      "BatchNormalization", [graph.name(inputs[0], in: order)] + vectors,
      ["epsilon": .number(epsilon)], shape: output, order: order)
    return activation.addNodes(to: graph, norm)
  }
}

/// Group normalisation (Wu and He 2018), followed by an activation. The channels of each image are
/// divided into groups; each group is normalised over its channels and all pixels.
package struct GroupNormalization: Operation {
  package let groups: Int
  /// The number added to the variance before the square root.
  package let epsilon: Float
  /// The activation after the norm.
  package let activation: Activation

  package init(groups: Int, epsilon: Float, activation: Activation = .identity) {
    self.groups = groups
    self.epsilon = epsilon
    self.activation = activation
  }

  /// Inputs: x [batch, ..., channels], scale and shift, each [channels].
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let (x, scale, shift) = (inputs[0], inputs[1], inputs[2])
    let channels = checkedChannels(x, scale, shift)
    let (batch, pixels, _) = x.mapExtents
    var output = Tensor(shape: x.shape) { _ in }
    let statistics = Tensor(shape: [batch, groups, 4]) { statistics in
      x.withUnsafeBuffer { x in
        scale.withUnsafeBuffer { scale in
          shift.withUnsafeBuffer { shift in
            output.withUnsafeMutableBuffer { y in
              df_f32_group_norm(
                batch, pixels, channels, groups, epsilon, x.baseAddress, scale.baseAddress,
                shift.baseAddress, nil, y.baseAddress, activation.kernel, activation.slope,
                statistics.baseAddress)
            }
          }
        }
      }
    }
    return (output, inputs + [statistics])
  }

  /// The gradients of x, scale and shift.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let gradients = kernel(saved).gradients(
      gradient, x: saved[0], fixed: false, wantsX: wants[0])
    return [gradients.x, gradients.scale, gradients.shift]
  }

  package func recompute(saved: [Tensor]) -> Tensor? { kernel(saved).output(saved[0]) }

  /// True: the output takes a few arithmetic operations for each element.
  package var canRecompute: Bool { true }

  private func kernel(_ saved: [Tensor]) -> NormKernel {
    let (batch, pixels, channels) = saved[0].mapExtents
    return NormKernel(
      batch: batch, pixels: pixels, channels: channels, groups: groups, statistics: saved[3],
      scale: saved[1], shift: saved[2], activation: activation)
  }

  /// The number of channels of x. It is a programmer error if groups or parameters do not fit it.
  func checkedChannels(_ x: Tensor, _ scale: Tensor, _ shift: Tensor) -> Int {
    let channels = x.shape.last ?? 0
    precondition(
      x.rank >= 2 && groups > 0 && channels % groups == 0 && scale.shape == [channels]
        && shift.shape == [channels],
      "group norm: \(groups) groups and parameters \(scale.shape), \(shift.shape) do not fit input"
        + " \(x.shape)")
    return channels
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    // Instance norm of the groups: faster in ONNX Runtime than its own group norm, and closer.
    let rank = output.count
    let order = [Int].channelsFirst(rank: rank)
    let maps = graph.name(inputs[0], in: order)
    let divided = graph.node("Reshape", [maps, graph.integers([0, groups, -1])])
    let unit = graph.constant(Tensor(repeating: 1, shape: [groups]))
    let none = graph.constant(Tensor(zeros: [groups]))
    let normed = graph.node(
      "InstanceNormalization", [divided, unit, none], ["epsilon": .number(epsilon)])
    let extents = [0] + order.dropFirst().map { output[$0] }
    let shape = graph.hasOpenSize ? graph.node("Shape", [maps]) : graph.integers(extents)
    let joined = TracedValue(
      .graph(graph.node("Reshape", [normed, shape])), shape: output, order: order)
    let scaled = graph.broadcasting("Mul", joined, inputs[1], output: output)
    let shifted = graph.broadcasting("Add", scaled, inputs[2], output: output)
    return activation.addNodes(to: graph, shifted)
  }
}

/// A norm with known statistics, [batch, groups, 4] in the kernels' form.
private struct NormKernel {
  var batch, pixels, channels, groups: Int
  var statistics, scale, shift: Tensor
  var activation: Activation

  func output(_ x: Tensor) -> Tensor {
    withPointers { statistics, scale, shift in
      Tensor(shape: x.shape) { y in
        x.withUnsafeBuffer { x in
          df_f32_group_norm_again(
            batch, pixels, channels, groups, x.baseAddress, statistics, scale, shift,
            y.baseAddress, activation.kernel, activation.slope)
        }
      }
    }
  }

  func gradients(
    _ gradient: Tensor, x: Tensor, fixed: Bool, wantsX: Bool
  ) -> (x: Tensor?, scale: Tensor, shift: Tensor) {
    var ofX = wantsX ? Tensor(shape: x.shape) { _ in } : nil
    var ofScale = Tensor(shape: [channels]) { _ in }
    let ofShift = Tensor(shape: [channels]) { ofShift in
      withPointers { statistics, scale, shift in
        ofScale.withUnsafeMutableBuffer { ofScale in
          x.withUnsafeBuffer { x in
            gradient.withUnsafeBuffer { gradient in
              func run(_ to: UnsafeMutablePointer<Float>?) {
                df_f32_group_norm_gradient(
                  batch, pixels, channels, groups, x.baseAddress, gradient.baseAddress, statistics,
                  fixed, scale, shift, activation.kernel, activation.slope, to,
                  ofScale.baseAddress, ofShift.baseAddress)
              }
              if ofX?.withUnsafeMutableBuffer({ run($0.baseAddress) }) == nil { run(nil) }
            }
          }
        }
      }
    }
    return (ofX, ofScale, ofShift)
  }

  private func withPointers<R>(
    _ body: (UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafePointer<Float>?) -> R
  ) -> R {
    statistics.withUnsafeBuffer { statistics in
      scale.withUnsafeBuffer { scale in
        shift.withUnsafeBuffer { shift in
          body(statistics.baseAddress, scale.baseAddress, shift.baseAddress)
        }
      }
    }
  }
}

/// The mean and the biased variance of each channel.
package struct ChannelStatistics: Sendable {
  /// The means, [channels].
  package var mean: Tensor
  /// The variances, divided by the number of elements, [channels].
  package var variance: Tensor
}

extension Tensor {
  /// The mean and variance of each channel of [..., channels], in double precision. No gradient
  /// flows through them: a `BatchNormalization` with `measured` includes it in the gradient of x.
  package func channelStatistics() -> ChannelStatistics {
    let channels = shape.last ?? 0
    precondition(channels > 0 && count > 0, "channelStatistics: shape \(shape) is empty")
    var mean = Tensor(shape: [channels]) { _ in }
    let variance = Tensor(shape: [channels]) { variance in
      mean.withUnsafeMutableBuffer { mean in
        withUnsafeBuffer { x in
          df_f32_channel_statistics(
            count / channels, channels, x.baseAddress, mean.baseAddress, variance.baseAddress)
        }
      }
    }
    return ChannelStatistics(mean: mean, variance: variance)
  }

  /// Batch normalisation of [..., channels] by fixed statistics, followed by `activation`.
  public func batchNorm(
    mean: Tensor, variance: Tensor, weight: Tensor, bias: Tensor, epsilon: Float = 1e-5,
    activation: Activation = .identity
  ) -> Tensor {
    BatchNormalization(epsilon: epsilon, measured: false, activation: activation)(
      self, mean, variance, weight, bias)
  }

  /// Group normalisation of [batch, ..., channels], followed by `activation`.
  public func groupNorm(
    groups: Int, weight: Tensor, bias: Tensor, epsilon: Float = 1e-5,
    activation: Activation = .identity
  ) -> Tensor {
    GroupNormalization(groups: groups, epsilon: epsilon, activation: activation)(
      self, weight, bias)
  }
}
