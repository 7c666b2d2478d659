import CDFKernels

/// Each image's channels multiplied by a factor for each channel: a squeeze-and-excite gate (Hu et
/// al. 2018).
package struct ChannelScale: Operation {
  package init() {}

  /// Inputs: x [batch, ..., channels], factors [batch, channels], possibly with axes of extent 1
  /// between the two.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let (x, factors) = (inputs[0], inputs[1])
    precondition(
      x.rank >= 2 && factors.count == x.mapExtents.batch * x.mapExtents.channels
        && factors.shape.first == x.shape.first && factors.shape.last == x.shape.last,
      "channel scale: factors \(factors.shape) do not fit input \(x.shape)")
    return (x.scaledChannels(by: factors), inputs)
  }

  /// The gradients of x and of the factors: the gradient times the factors, and the sum of the
  /// gradient times x over each channel.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let (x, factors) = (saved[0], saved[1])
    let (batch, pixels, channels) = x.mapExtents
    var ofFactors: Tensor?
    if wants[1] {
      ofFactors = Tensor(shape: factors.shape) { sums in
        x.withUnsafeBuffer { x in
          gradient.withUnsafeBuffer {
            df_f32_pixel_dots(
              batch, pixels, channels, $0.baseAddress, x.baseAddress, sums.baseAddress)
          }
        }
      }
    }
    return [wants[0] ? gradient.scaledChannels(by: factors) : nil, ofFactors]
  }

  package func recompute(saved: [Tensor]) -> Tensor? { saved[0].scaledChannels(by: saved[1]) }

  /// True: the output takes one multiplication for each element.
  package var canRecompute: Bool { true }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    let x = inputs[0]
    let ones = Array(repeating: 1, count: x.rank - 2)
    let gate = graph.node(
      "Reshape", [graph.name(inputs[1]), graph.integers([-1, output[x.rank - 1]] + ones)])
    let order = [Int].channelsFirst(rank: x.rank)
    return graph.value("Mul", [graph.name(x, in: order), gate], shape: output, order: order)
  }
}

extension Tensor {
  /// Each image's channels multiplied by `factors` [batch, channels], which may have axes of extent
  /// 1 between the two.
  public func scalingChannels(by factors: Tensor) -> Tensor { ChannelScale()(self, factors) }

  /// The extents of [batch, ..., channels], with the axes in between merged to pixels.
  var mapExtents: (batch: Int, pixels: Int, channels: Int) {
    let (batch, channels) = (shape.first ?? 0, shape.last ?? 0)
    return (batch, batch * channels == 0 ? 0 : count / (batch * channels), channels)
  }

  /// The sum of each channel of [..., channels].
  func channelSums() -> Tensor {
    let channels = shape.last ?? 0
    return Tensor(shape: [channels]) { sums in
      withUnsafeBuffer { x in
        df_f32_pixel_sums(
          1, channels == 0 ? 0 : count / channels, channels, x.baseAddress, sums.baseAddress)
      }
    }
  }

  /// Each image's channels multiplied by `factors`, plus `terms`; both have shape [batch,
  /// channels].
  func scaledChannels(by factors: Tensor, adding terms: Tensor? = nil) -> Tensor {
    let (batch, pixels, channels) = mapExtents
    return Tensor(shape: shape) { y in
      withUnsafeBuffer { x in
        factors.withUnsafeBuffer { factors in
          terms.withUnsafePointer { terms in
            df_f32_scale_channels(
              batch, pixels, channels, x.baseAddress, factors.baseAddress, terms, y.baseAddress)
          }
        }
      }
    }
  }
}
