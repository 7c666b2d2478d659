import CDFKernels

/// The settings of a two-dimensional convolution. As usual in networks, the kernel is not flipped
/// (cross-correlation).
package struct ConvolutionSettings: Sendable, Equatable {
  /// The distance in pixels from one window to the next.
  package var stride: Size2d
  /// The zeros around the input.
  package var padding: Padding
  /// The distance in pixels from one kernel element to the next.
  package var dilation: Size2d
  /// The number of groups of channels; each group is convolved separately.
  package var groups: Int

  /// Creates settings; the defaults are those of a plain convolution.
  package init(
    stride: Size2d = 1, padding: Padding = .none, dilation: Size2d = 1, groups: Int = 1
  ) {
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
  }

  /// The kernels' description of a convolution of `input` with weights of shape `weight`, HWIO.
  /// Shapes that do not fit are programmer errors.
  func kernel(input: ImageShape, weight: [Int]) -> df_conv2d {
    precondition(
      weight.count == 4 && weight.allSatisfy { $0 > 0 },
      "conv2d: weight \(weight) is not [height, width, in / groups, out]")
    precondition(
      min(stride.height, stride.width, dilation.height, dilation.width) > 0,
      "conv2d: stride and dilation must be positive")
    precondition(
      groups > 0 && weight[2] * groups == input.channels && weight[3] % groups == 0,
      "conv2d: weight \(weight) in \(groups) groups does not fit \(input.channels) channels")
    let size = Size2d(height: weight[0], width: weight[1])
    let insets = padding.insets(
      input: input.size, kernel: size, stride: stride, dilation: dilation)
    let spanDown = input.height + insets.top + insets.bottom - dilation.height * (size.height - 1)
    let spanAcross = input.width + insets.left + insets.right - dilation.width * (size.width - 1)
    precondition(
      spanDown > 0 && spanAcross > 0,
      "conv2d: input \(input.height)x\(input.width) is smaller than the kernel \(weight)")
    return df_conv2d(
      batch: input.batch, in_height: input.height, in_width: input.width,
      in_channels: input.channels, out_height: (spanDown - 1) / stride.height + 1,
      out_width: (spanAcross - 1) / stride.width + 1, out_channels: weight[3],
      kernel_height: size.height, kernel_width: size.width, stride_height: stride.height,
      stride_width: stride.width, dilation_height: dilation.height,
      dilation_width: dilation.width, pad_top: insets.top, pad_left: insets.left, groups: groups)
  }
}

extension df_conv2d {
  var outputShape: [Int] { [batch, out_height, out_width, out_channels] }
}

/// A two-dimensional convolution of NHWC images.
package struct Convolution: Operation {
  /// Stride, padding, dilation and groups.
  package let settings: ConvolutionSettings

  package init(_ settings: ConvolutionSettings) {
    self.settings = settings
  }

  /// Inputs: x [batch, height, width, in], weight [height, width, in / groups, out] and optionally
  /// a bias [out].
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let (x, weight) = (inputs[0], inputs[1])
    let bias = inputs.count > 2 ? inputs[2] : nil
    var conv = settings.kernel(input: ImageShape(x, "conv2d"), weight: weight.shape)
    if let bias {
      precondition(
        bias.shape == [conv.out_channels],
        "conv2d: bias \(bias.shape) does not fit weight \(weight.shape)")
    }
    let packed = Tensor(shape: [df_f32_conv2d_packed_count(&conv)]) { packed in
      weight.withUnsafeBuffer { df_f32_conv2d_pack(&conv, $0.baseAddress, packed.baseAddress) }
    }
    let output = Tensor(shape: conv.outputShape) { y in
      x.withUnsafeBuffer { x in
        packed.withUnsafeBuffer { packed in
          withEpilogue(bias: bias, activation: .identity, slopes: nil, residual: nil) { epilogue in
            df_f32_conv2d_packed(
              &conv, x.baseAddress, packed.baseAddress, y.baseAddress, epilogue)
          }
        }
      }
    }
    return (output, [x, weight])
  }

  /// The gradients of x, the weight and the bias.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let (x, weight) = (saved[0], saved[1])
    let conv = settings.kernel(input: ImageShape(x, "conv2d"), weight: weight.shape)
    return [
      wants[0] ? conv.inputGradient(gradient, weight: weight) : nil,
      wants[1] ? conv.weightGradient(gradient, x: x, shape: weight.shape) : nil,
      wants.count > 2 && wants[2] ? gradient.channelSums() : nil,
    ].prefix(wants.count).map { $0 }
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    let (x, weight) = (inputs[0], inputs[1])
    guard settings.padding != .sameFromInput || !graph.hasOpenSize else {
      throw ONNXExportError(
        "its convolutions have TensorFlow's SAME padding, which depends on the size of the input;"
          + " export it at one size")
    }
    let kernel = Size2d(height: weight.shape[0], width: weight.shape[1])
    let insets = settings.padding.insets(
      input: Size2d(height: x.shape[1], width: x.shape[2]), kernel: kernel, stride: settings.stride,
      dilation: settings.dilation)
    let order = [Int].channelsFirst(rank: 4)
    var names = [graph.name(x, in: order), graph.name(weight, in: [3, 2, 0, 1])]
    if inputs.count > 2 { names.append(graph.name(inputs[2])) }
    return graph.value(
      "Conv", names,
      [
        "kernel_shape": .integers(kernel.axes), "strides": .integers(settings.stride.axes),
        "dilations": .integers(settings.dilation.axes), "group": .integer(Int64(settings.groups)),
        "pads": .integers([insets.top, insets.left, insets.bottom, insets.right].map(Int64.init)),
      ], shape: output, order: order)
  }
}

extension df_conv2d {
  fileprivate func inputGradient(_ gradient: Tensor, weight: Tensor) -> Tensor {
    withUnsafePointer(to: self) { conv in
      let space = Tensor(shape: [df_f32_conv2d_input_gradient_space(conv)]) { _ in }
      return Tensor(shape: [batch, in_height, in_width, in_channels]) { x in
        gradient.withUnsafeBuffer { gradient in
          weight.withUnsafeBuffer { weight in
            var space = space
            space.withUnsafeMutableBuffer { space in
              df_f32_conv2d_input_gradient(
                conv, gradient.baseAddress, weight.baseAddress, space.baseAddress, x.baseAddress)
            }
          }
        }
      }
    }
  }

  fileprivate func weightGradient(_ gradient: Tensor, x: Tensor, shape: [Int]) -> Tensor {
    withUnsafePointer(to: self) { conv in
      Tensor(shape: shape) { weight in
        gradient.withUnsafeBuffer { gradient in
          x.withUnsafeBuffer { x in
            df_f32_conv2d_weight_gradient(
              conv, x.baseAddress, gradient.baseAddress, weight.baseAddress)
          }
        }
      }
    }
  }
}

extension Tensor {
  /// The convolution of NHWC images with `weight` [height, width, in / groups, out] plus `bias`
  /// [out].
  public func conv2d(
    _ weight: Tensor, bias: Tensor? = nil, stride: Size2d = 1, padding: Padding = .none,
    dilation: Size2d = 1, groups: Int = 1
  ) -> Tensor {
    let operation = Convolution(
      ConvolutionSettings(stride: stride, padding: padding, dilation: dilation, groups: groups))
    return operation([self, weight] + (bias.map { [$0] } ?? []))
  }
}
