import CDFKernels

// Convolutions that read and write only some channels of wider maps. The results of several
// convolutions can so be placed next to each other without a copy.

extension PackedConv2d {
  /// Convolves `x` and writes the result to channels `place`... of `maps`, which must have the
  /// batch of `x` and the output's height and width. It supports only 3x3 convolutions of stride 1
  /// that keep the size and have at least 16 input and output channels.
  package func write(_ x: Tensor, to maps: inout Tensor, at place: Int) {
    let target = checkedSlice(of: maps, at: place, count: outputs)
    precondition(
      x.shape.prefix(3) == maps.shape.prefix(3),
      "\(key): input \(x.shape) and maps \(maps.shape) differ in more than channels")
    x.withUnsafeBuffer { x in
      maps.withUnsafeMutableBuffer { maps in
        guard let from = x.baseAddress, let to = maps.baseAddress else { return }
        convolve(from, pixel: inputs, to + place, target)
      }
    }
  }

  /// Convolves the channels `first`... of `maps` and writes the result to its channels `place`....
  /// The two ranges must not overlap.
  package func rewrite(_ maps: inout Tensor, from first: Int, at place: Int) {
    _ = checkedSlice(of: maps, at: first, count: inputs)
    let target = checkedSlice(of: maps, at: place, count: outputs)
    precondition(
      first + inputs <= place || place + outputs <= first,
      "\(key): \(inputs) channels from \(first) overlap \(outputs) from \(place)")
    maps.withUnsafeMutableBuffer { maps in
      guard let maps = maps.baseAddress else { return }
      convolve(maps + first, pixel: target.channels, maps + place, target)
    }
  }

  /// Convolves the first channels of `x`, as many as the convolution has inputs. It supports only
  /// pointwise convolutions.
  package func ofFirstChannels(_ x: Tensor) -> Tensor {
    precondition(isPointwise, "\(key): needs a pointwise convolution, not \(weightShape)")
    let image = checkedSlice(of: x, at: 0, count: inputs)
    let shape = [image.batch, image.height, image.width]
    return LayerTimes.measure(
      key, work: work(input: shape + [inputs], output: shape + [outputs])
    ) {
      Tensor(shape: shape + [outputs]) { y in
        withPointers(x, nil) { x, packed, epilogue in
          df_f32_gemm_packed(
            image.batch * image.pixels, outputs, inputs, x, image.channels, packed,
            y.baseAddress, outputs, epilogue)
        }
      }
    }
  }

  private func checkedSlice(of maps: Tensor, at first: Int, count: Int) -> ImageShape {
    let shape = ImageShape(maps, key)
    precondition(
      first >= 0 && first + count <= shape.channels,
      "\(key): maps \(maps.shape) do not have \(count) channels from \(first)")
    return shape
  }

  private func convolve(
    _ x: UnsafePointer<Float>, pixel: Int, _ y: UnsafeMutablePointer<Float>, _ target: ImageShape
  ) {
    var input = target
    input.channels = inputs
    var conv = settings.kernel(input: input, weight: weightShape)
    precondition(
      isWinograd && conv.out_height == target.height && conv.out_width == target.width,
      "\(key): \(weightShape) is not a wide enough 3x3 convolution that keeps the size")
    let shape = [target.batch, target.height, target.width]
    LayerTimes.measure(key, work: work(input: shape + [inputs], output: shape + [outputs])) {
      withPointers(nil, nil) { _, packed, epilogue in
        df_f32_winograd(&conv, x, pixel, packed, y, target.channels, epilogue)
      }
    }
  }
}
