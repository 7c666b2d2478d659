import CDFKernels

/// Squeeze and excitation (Hu et al. 2018): each image's channels multiplied by factors that depend
/// on the whole image. The factors come from the channels' means through a layer, an activation,
/// another layer and a sigmoid.
///
/// It is one operation because the gradient of x has two parts, from the scaling and from the
/// means, which are written together.
package struct SqueezeExcitation: Operation {
  /// The activation after the first layer.
  package let activation: Activation

  package init(activation: Activation = .silu) {
    self.activation = activation
  }

  /// Inputs: x [batch, ..., channels], then the layers' weights and biases: [channels, squeezed],
  /// [squeezed], [squeezed, channels] and [channels]. The weights may have leading axes of extent
  /// 1.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let x = inputs[0]
    let (batch, pixels, channels) = x.mapExtents
    let squeezed = inputs[2].count
    precondition(
      x.rank >= 3 && pixels > 0 && inputs[1].shape.suffix(2) == [channels, squeezed]
        && inputs[3].shape.suffix(2) == [squeezed, channels]
        && inputs[1].count == channels * squeezed && inputs[3].count == channels * squeezed
        && inputs[4].shape == [channels] && inputs[2].shape == [squeezed],
      "squeeze and excite: weights \(inputs[1...].map(\.shape)) do not fit input \(x.shape)")
    let sums = Tensor(shape: [batch, channels]) { sums in
      x.withUnsafeBuffer {
        df_f32_pixel_sums(batch, pixels, channels, $0.baseAddress, sums.baseAddress)
      }
    }
    let means = sums / Float(pixels)
    let hidden = Self.layer(means, inputs[1], inputs[2])
    let gate = Self.layer(hidden.activated(activation), inputs[3], inputs[4]).sigmoid()
    let saved = [x, inputs[1], inputs[3], means, hidden, gate]
    return (x.scaledChannels(by: gate), saved)
  }

  /// The gradients of x, weights and biases.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let (x, reduce, expand) = (saved[0], saved[1], saved[2])
    let (means, hidden, gate) = (saved[3], saved[4], saved[5])
    let (batch, pixels, channels) = x.mapExtents
    let ofGate = Tensor(shape: gate.shape) { sums in
      x.withUnsafeBuffer { x in
        gradient.withUnsafeBuffer {
          df_f32_pixel_dots(
            batch, pixels, channels, $0.baseAddress, x.baseAddress, sums.baseAddress)
        }
      }
    }
    let ofExcited = ofGate * gate * (1 - gate)
    let ofActivated = ofExcited.matmul(expand.asMatrix, transposingRight: true)
    let ofHidden = Activate(activation).pullback(ofActivated, saved: [hidden], wants: [true])[0]
    guard let ofHidden else { return [] }
    var ofX: Tensor?
    if wants[0] {
      let ofMeans = ofHidden.matmul(reduce.asMatrix, transposingRight: true)
      ofX = gradient.scaledChannels(by: gate, adding: ofMeans / Float(pixels))
    }
    let active = hidden.activated(activation)
    return [
      ofX, means.matmul(ofHidden, transposingLeft: true).viewed(as: reduce.shape),
      ofHidden.channelSums(),
      active.matmul(ofExcited, transposingLeft: true).viewed(as: expand.shape),
      ofExcited.channelSums(),
    ]
  }

  package func recompute(saved: [Tensor]) -> Tensor? { saved[0].scaledChannels(by: saved[5]) }

  /// True: the output takes one multiplication for each element.
  package var canRecompute: Bool { true }

  private static func layer(_ x: Tensor, _ weight: Tensor, _ bias: Tensor) -> Tensor {
    x.matmul(weight.asMatrix) + bias
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    let x = inputs[0]
    guard x.rank == 4 else { throw ONNXExportError("squeeze and excitation of \(x.shape)") }
    let order = [Int].channelsFirst(rank: 4)
    let maps = graph.name(x, in: order)
    func layer(_ name: String, _ weight: TracedValue, _ bias: TracedValue, channels: Int)
      -> TracedValue
    {
      let kernel =
        weight.rank == 4
        ? graph.name(weight, in: [3, 2, 0, 1])
        : graph.name(weight, in: [1, 0], reshapedTo: weight.shape.reversed() + [1, 1])
      return graph.value(
        "Conv", [name, kernel, graph.name(bias)], ["kernel_shape": .integers([1, 1])],
        shape: [output[0], 1, 1, channels], order: order)
    }
    let squeezed = layer(
      graph.node("GlobalAveragePool", [maps]), inputs[1], inputs[2], channels: inputs[2].shape[0])
    let hidden = graph.name(activation.addNodes(to: graph, squeezed), in: order)
    let excited = layer(hidden, inputs[3], inputs[4], channels: output[3])
    let gate = Activation.sigmoid.addNodes(to: graph, excited)
    return graph.value("Mul", [maps, graph.name(gate, in: order)], shape: output, order: order)
  }
}

extension Tensor {
  /// [batch, ..., channels] with each image's channels scaled by squeeze and excitation (see
  /// `SqueezeExcitation`).
  public func squeezedAndExcited(
    reduce: (weight: Tensor, bias: Tensor), expand: (weight: Tensor, bias: Tensor),
    activation: Activation = .silu
  ) -> Tensor {
    SqueezeExcitation(activation: activation)(
      self, reduce.weight, reduce.bias, expand.weight, expand.bias)
  }

  fileprivate var asMatrix: Tensor { viewed(as: Array(shape.suffix(2))) }
}
