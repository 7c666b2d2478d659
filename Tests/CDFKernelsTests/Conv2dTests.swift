import CDFKernels
import Testing

extension KernelTests {
  @Suite struct Conv2d {
    static func random(_ numbers: inout Numbers, groups: Int, inputs: Int, outputs: Int)
      -> df_conv2d
    {
      df_conv2d(
        batch: numbers.integer(1...2), in_height: numbers.integer(1...12),
        in_width: numbers.integer(1...12), in_channels: groups * inputs,
        out_height: numbers.integer(1...10), out_width: numbers.integer(1...10),
        out_channels: groups * outputs, kernel_height: numbers.integer(1...4),
        kernel_width: numbers.integer(1...4), stride_height: numbers.integer(1...3),
        stride_width: numbers.integer(1...3), dilation_height: numbers.integer(1...2),
        dilation_width: numbers.integer(1...2), pad_top: numbers.integer(0...3),
        pad_left: numbers.integer(0...3), groups: groups)
    }

    /// A layer as networks have it: a square kernel with symmetric padding.
    static func layer(
      batch: Int = 1, size: Int, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1,
      groups: Int = 1
    ) -> df_conv2d {
      let out = (size + stride - 1) / stride
      return df_conv2d(
        batch: batch, in_height: size, in_width: size, in_channels: inputs, out_height: out,
        out_width: out, out_channels: outputs, kernel_height: kernel, kernel_width: kernel,
        stride_height: stride, stride_width: stride, dilation_height: 1, dilation_width: 1,
        pad_top: kernel / 2, pad_left: kernel / 2, groups: groups)
    }

    /// One convolution with its operands.
    struct Problem {
      var conv: df_conv2d
      var x, weights: [Float]
      var epilogue: Epilogue

      init(_ numbers: inout Numbers, _ v: df_conv2d) {
        conv = v
        x = numbers.floats(v.batch * v.in_height * v.in_width * v.in_channels)
        weights = numbers.floats(
          v.kernel_height * v.kernel_width * v.in_channels / v.groups * v.out_channels)
        let isDepthwise = v.groups == v.in_channels && v.groups == v.out_channels
        epilogue = Epilogue(
          &numbers, channels: v.out_channels, outputs: Problem.outputs(v),
          canHaveSlopes: !isDepthwise)
      }

      static func outputs(_ v: df_conv2d) -> Int {
        v.batch * v.out_height * v.out_width * v.out_channels
      }

      var expected: [Double] { convolved(conv, x, weights, epilogue) }

      func computed() -> [Float] {
        var v = conv
        var packed = [Float](repeating: .nan, count: df_f32_conv2d_packed_count(&v))
        df_f32_conv2d_pack(&v, weights, &packed)
        var y = [Float](repeating: .nan, count: Problem.outputs(v))
        epilogue.withKernelForm { df_f32_conv2d_packed(&v, x, packed, &y, $0) }
        return y
      }
    }

    @Test func anyGeometry() {
      forEachInstructionSet { isa in
        var numbers = Numbers(11)
        for _ in 0..<200 {
          let v = Self.random(
            &numbers, groups: numbers.integer(1...3), inputs: numbers.integer(1...9),
            outputs: numbers.integer(1...40))
          let problem = Problem(&numbers, v)
          expectClose(problem.computed(), problem.expected, tolerance: 1e-5, "\(isa) \(v)")
        }
      }
    }

    @Test(arguments: [
      layer(size: 17, 3, 48, kernel: 3, stride: 2),  // a stem
      layer(size: 21, 3, 32, kernel: 7, stride: 2),
      layer(batch: 2, size: 7, 64, 64, kernel: 3),
      layer(size: 5, 130, 37, kernel: 3),  // chunks that end inside a tap
      layer(batch: 2, size: 6, 20, 24, kernel: 1),
      layer(size: 8, 32, 16, kernel: 1, stride: 2),
      layer(size: 6, 64, 64, kernel: 3, groups: 32),
    ])
    func layers(_ v: df_conv2d) {
      forEachInstructionSet { isa in
        var numbers = Numbers(12)
        let problem = Problem(&numbers, v)
        expectClose(problem.computed(), problem.expected, tolerance: 3e-5, "\(isa) \(v)")
      }
    }

    @Test func threadsDoNotChangeResults() {
      forEachInstructionSet { isa in
        var numbers = Numbers(13)
        for v in [
          Self.layer(size: 40, 16, 24, kernel: 3),
          Self.layer(size: 24, 32, 64, kernel: 3, groups: 16),
          Self.layer(batch: 3, size: 30, 3, 20, kernel: 5, stride: 2),
        ] {
          let problem = Problem(&numbers, v)
          expectSameForAnyThreads("\(isa) \(v)") { problem.computed() }
        }
      }
    }
  }

  @Suite struct Depthwise {
    private func check(_ problem: Conv2d.Problem, _ label: String) {
      expectClose(problem.computed(), problem.expected, tolerance: 1e-5, label)
    }

    @Test func anyGeometry() {
      forEachInstructionSet { isa in
        var numbers = Numbers(21)
        for _ in 0..<150 {
          let v = Conv2d.random(
            &numbers, groups: numbers.integer(1...70), inputs: 1, outputs: 1)
          check(Conv2d.Problem(&numbers, v), "\(isa) \(v)")
        }
      }
    }

    /// 3x3 and 5x5 at strides 1 and 2 have code of their own for each width of tile.
    @Test func kernelsOfNetworks() {
      forEachInstructionSet { isa in
        var numbers = Numbers(22)
        for kernel in [3, 5] {
          for stride in [1, 2] {
            for size in 1...19 {
              let channels = numbers.integer(1...70)
              let v = Conv2d.layer(
                size: size, channels, channels, kernel: kernel, stride: stride, groups: channels)
              check(Conv2d.Problem(&numbers, v), "\(isa) \(v)")
            }
          }
        }
      }
    }

    /// Wide rows are taken in blocks, tall images in strips, and large images are read in place.
    @Test(arguments: [(3, 300, 40), (70, 90, 9), (260, 3, 33), (90, 75, 48)])
    func blocksAndStrips(height: Int, width: Int, channels: Int) {
      forEachInstructionSet { isa in
        var numbers = Numbers(23)
        for kernel in [3, 5] {
          for dilation in [1, 2] {
            let v = df_conv2d(
              batch: 2, in_height: height, in_width: width, in_channels: channels,
              out_height: height, out_width: width, out_channels: channels,
              kernel_height: kernel, kernel_width: kernel, stride_height: 1, stride_width: 1,
              dilation_height: dilation, dilation_width: dilation,
              pad_top: kernel / 2 * dilation, pad_left: kernel / 2 * dilation, groups: channels)
            check(Conv2d.Problem(&numbers, v), "\(isa) \(v)")
          }
        }
      }
    }

    @Test func threadsDoNotChangeResults() {
      forEachInstructionSet { isa in
        var numbers = Numbers(24)
        for (size, channels) in [(80, 20), (14, 200)] {
          let v = Conv2d.layer(
            batch: 2, size: size, channels, channels, kernel: 3, groups: channels)
          let problem = Conv2d.Problem(&numbers, v)
          expectSameForAnyThreads("\(isa) \(v)") { problem.computed() }
        }
      }
    }
  }
}
