import CDFKernels
import Testing

extension KernelTests {
  @Suite struct Chain {
    /// A convolution without its epilogue's residual: depthwise, pointwise or plain.
    struct Part {
      var conv: df_conv2d
      var weights: [Float]
      var epilogue: Epilogue

      init(
        _ numbers: inout Numbers, height: Int, width: Int, _ inputs: Int, _ outputs: Int,
        kernel: Int, stride: Int = 1, groups: Int = 1
      ) {
        conv = df_conv2d(
          batch: 1, in_height: height, in_width: width, in_channels: inputs,
          out_height: (height - 1) / stride + 1, out_width: (width - 1) / stride + 1,
          out_channels: outputs, kernel_height: kernel, kernel_width: kernel,
          stride_height: stride, stride_width: stride, dilation_height: 1, dilation_width: 1,
          pad_top: kernel / 2, pad_left: kernel / 2, groups: groups)
        let terms = kernel * kernel * inputs / groups
        weights = numbers.floats(terms * outputs).map { $0 / Float(terms).squareRoot() }
        epilogue = Epilogue(&numbers, channels: outputs, outputs: 0)
        epilogue.residual = nil
      }
    }

    /// A layer with its operands, as plain loops and packed.
    struct Layer {
      var depthwise: Part?
      var main: Part
      var packedDepthwise: [Float] = []
      var packed: [Float] = []

      init(
        _ numbers: inout Numbers, height: Int, width: Int, _ inputs: Int, _ outputs: Int,
        kernel: Int, stride: Int, isSeparable: Bool
      ) {
        if isSeparable {
          let first = Part(
            &numbers, height: height, width: width, inputs, inputs, kernel: 3, stride: stride,
            groups: inputs)
          depthwise = first
          main = Part(
            &numbers, height: first.conv.out_height, width: first.conv.out_width, inputs, outputs,
            kernel: 1)
        } else {
          main = Part(
            &numbers, height: height, width: width, inputs, outputs, kernel: kernel,
            stride: stride)
        }
      }

      /// Packs for the instruction set in use.
      mutating func pack() {
        let rows = main.weights.count / main.conv.out_channels
        packed = [Float](
          repeating: .nan, count: df_f32_packed_count(rows, main.conv.out_channels))
        df_f32_pack(rows, main.conv.out_channels, main.weights, main.conv.out_channels, &packed)
        guard let depthwise else { return }
        let channels = depthwise.conv.in_channels
        packedDepthwise = [Float](repeating: .nan, count: df_f32_chain_packed_count(channels))
        (depthwise.epilogue.bias ?? []).withUnsafeBufferPointer { bias in
          df_f32_chain_pack(
            channels, depthwise.weights, depthwise.epilogue.bias == nil ? nil : bias.baseAddress,
            &packedDepthwise)
        }
      }

      /// The kernels' form and those after it.
      func withKernelForms<R>(
        _ rest: ArraySlice<Layer>, _ found: [df_chain_layer], _ body: ([df_chain_layer]) -> R
      ) -> R {
        packed.withUnsafeBufferPointer { packed in
          packedDepthwise.withUnsafeBufferPointer { depthwise in
            main.epilogue.withKernelForm { epilogue in
              let first = self.depthwise
              let form = df_chain_layer(
                in_channels: (first ?? main).conv.in_channels,
                out_channels: main.conv.out_channels,
                kernel: (first ?? main).conv.kernel_height,
                stride: (first ?? main).conv.stride_height,
                depthwise: first == nil ? nil : depthwise.baseAddress,
                depthwise_activation: first?.epilogue.activation ?? DF_IDENTITY,
                depthwise_slope: first?.epilogue.slope ?? 0, packed: packed.baseAddress,
                bias: epilogue.pointee.bias, activation: epilogue.pointee.activation,
                slope: epilogue.pointee.slope)
              guard let next = rest.first else { return body(found + [form]) }
              return next.withKernelForms(rest.dropFirst(), found + [form], body)
            }
          }
        }
      }
    }

    struct Problem {
      var batch, height, width: Int
      var layers: [Layer] = []
      var x: [Float]
      var bytes: [[UInt8]] = []
      var residual: [Float]?
      let scale: Float = 1 / 64
      let shift: [Float] = [-2, -1.5, -1]

      init(
        _ numbers: inout Numbers, batch: Int, height: Int, width: Int, channels: [Int],
        ofBytes: Bool = false, isSeparable: Bool? = nil
      ) {
        self.batch = batch
        self.height = height
        self.width = width
        x = numbers.floats(batch * height * width * channels[0])
        if ofBytes {
          bytes = (0..<batch).map { _ in
            (0..<height * width * 3).map { _ in UInt8(numbers.integer(0...255)) }
          }
          let shift = shift
          let scale = scale
          x = bytes.flatMap { image in
            image.enumerated().map { Float($1) * scale + shift[$0 % 3] }
          }
        }
        var (height, width) = (height, width)
        for (inputs, outputs) in zip(channels, channels.dropFirst()) {
          let plain = layers.isEmpty && ofBytes
          let layer = Layer(
            &numbers, height: height, width: width, inputs, outputs,
            kernel: [1, 3, 5, 7][numbers.integer(0...3)], stride: numbers.integer(1...2),
            isSeparable: !plain && (isSeparable ?? numbers.flip()))
          layers.append(layer)
          (height, width) = (layer.main.conv.out_height, layer.main.conv.out_width)
        }
        if numbers.flip() {
          residual = numbers.floats(batch * height * width * channels[channels.count - 1])
        }
      }

      var expected: [Double] {
        let size = x.count / batch
        let output = (0..<batch).flatMap { image in
          var maps = Array(x[image * size..<(image + 1) * size])
          for layer in layers {
            for part in [layer.depthwise, layer.main].compactMap({ $0 }) {
              maps = convolved(part.conv, maps, part.weights, part.epilogue).map(Float.init)
            }
          }
          return maps.map(Double.init)
        }
        return zip(output, residual ?? [Float](repeating: 0, count: output.count)).map {
          $0 + Double($1)
        }
      }

      func computed() -> [Float] {
        let layers = layers.map { layer in
          var layer = layer
          layer.pack()
          return layer
        }
        guard let first = layers.first, let last = layers.last else { return [] }
        let size = last.main.conv.out_height * last.main.conv.out_width
        var y = [Float](repeating: .nan, count: batch * size * last.main.conv.out_channels)
        first.withKernelForms(layers.dropFirst(), []) { forms in
          #expect(
            df_chain_extent(forms, forms.count, height) == last.main.conv.out_height
              && df_chain_extent(forms, forms.count, width) == last.main.conv.out_width)
          var input = df_chain_input()
          input.batch = batch
          input.height = height
          input.width = width
          input.scale = (scale, scale, scale)
          input.shift = (shift[0], shift[1], shift[2])
          let joined = bytes.flatMap { $0 }
          joined.withUnsafeBufferPointer { joined in
            (x + (residual ?? [])).withUnsafeBufferPointer { floats in
              let starts = bytes.indices.map { index in
                joined.baseAddress.map { $0 + index * height * width * 3 }
              }
              starts.withUnsafeBufferPointer { starts in
                input.x = bytes.isEmpty ? floats.baseAddress : nil
                input.residual = residual == nil ? nil : floats.baseAddress.map { $0 + x.count }
                input.bytes = starts.baseAddress
                df_f32_run_chain(forms, forms.count, &input, &y)
              }
            }
          }
        }
        return y
      }
    }

    @Test(arguments: [true, false]) func anyGeometry(ofBytes: Bool) {
      forEachInstructionSet { isa in
        var numbers = Numbers(81)
        for _ in 0..<80 {
          let count = numbers.integer(1...4)
          let channels =
            [ofBytes ? 3 : numbers.integer(1...40)]
            + (0..<count).map { _ in [4, 8, 16, 24, 32, 37][numbers.integer(0...5)] }
          let problem = Problem(
            &numbers, batch: numbers.integer(1...3), height: numbers.integer(1...20),
            width: numbers.integer(1...20), channels: channels, ofBytes: ofBytes)
          expectClose(
            problem.computed(), problem.expected, tolerance: 2e-5,
            "\(isa) \(problem.width)x\(problem.height) \(channels)")
        }
      }
    }

    /// Widths that end inside tiles and vectors, at both strides, for channels that fill a part of
    /// a vector, a vector, and several.
    @Test(arguments: [4, 8, 16, 20, 64]) func widths(channels: Int) {
      forEachInstructionSet { isa in
        var numbers = Numbers(82)
        for width in 1...30 {
          let problem = Problem(
            &numbers, batch: 1, height: 5, width: width, channels: [channels, 17],
            isSeparable: true)
          expectClose(
            problem.computed(), problem.expected, tolerance: 2e-5, "\(isa) \(width) wide")
        }
      }
    }

    /// A single layer makes several rows at once, in strips of them.
    @Test func singleLayers() {
      forEachInstructionSet { isa in
        var numbers = Numbers(84)
        for (height, width, inputs, outputs) in [
          (19, 19, 130, 70), (40, 3, 24, 33), (1, 200, 8, 5),
        ] {
          let problem = Problem(
            &numbers, batch: 2, height: height, width: width, channels: [inputs, outputs],
            isSeparable: true)
          expectClose(
            problem.computed(), problem.expected, tolerance: 2e-5, "\(isa) \(width)x\(height)")
          expectSameForAnyThreads("\(isa) \(width)x\(height)") { problem.computed() }
        }
      }
    }

    @Test func threadsDoNotChangeResults() {
      forEachInstructionSet { isa in
        var numbers = Numbers(83)
        for batch in [1, 3] {
          let problem = Problem(
            &numbers, batch: batch, height: 61, width: 33, channels: [3, 8, 16, 32, 24],
            ofBytes: true)
          expectSameForAnyThreads("\(isa) batch \(batch)") { problem.computed() }
        }
      }
    }
  }
}
