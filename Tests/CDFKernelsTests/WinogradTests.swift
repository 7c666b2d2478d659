import CDFKernels
import Testing

extension KernelTests {
  @Suite struct Winograd {
    /// A 3x3 convolution between some channels of wider maps.
    struct Problem {
      var problem: Conv2d.Problem
      /// Channels before and after those that take part.
      var before: Int
      var after: Int

      init(_ numbers: inout Numbers, _ v: df_conv2d, before: Int = 0, after: Int = 0) {
        problem = Conv2d.Problem(&numbers, v)
        self.before = before
        self.after = after
      }

      /// The output in maps that are otherwise as they were: NaN. The residual is spread like it.
      func computed() -> [Float] {
        var v = problem.conv
        #expect(df_f32_winograd_fits(&v))
        var packed = [Float](repeating: .nan, count: df_f32_winograd_packed_count(&v))
        df_f32_winograd_pack(&v, problem.weights, &packed)
        let x = spread(problem.x, channels: v.in_channels)
        let pixel = before + v.out_channels + after
        var y = [Float](repeating: .nan, count: v.batch * v.out_height * v.out_width * pixel)
        var epilogue = problem.epilogue
        epilogue.residual = epilogue.residual.map { spread($0, channels: v.out_channels) }
        let before = before
        y.withUnsafeMutableBufferPointer { y in
          epilogue.withKernelForm { form in
            var form = form.pointee
            form.residual = form.residual.map { $0 + before }
            x.withUnsafeBufferPointer { x in
              guard let x = x.baseAddress, let y = y.baseAddress else { return }
              df_f32_winograd(
                &v, x + before, before + v.in_channels + after, packed, y + before, pixel, &form)
            }
          }
        }
        return y
      }

      func expect(tolerance: Double, _ label: String) {
        let y = computed(), channels = problem.conv.out_channels
        let pixel = before + channels + after
        var inside: [Float] = [], outside: [Float] = []
        for (i, value) in y.enumerated() {
          if (before..<before + channels).contains(i % pixel) {
            inside.append(value)
          } else {
            outside.append(value)
          }
        }
        expectClose(inside, problem.expected, tolerance: tolerance, label)
        #expect(outside.allSatisfy { $0.isNaN }, "\(label): other channels are left alone")
      }

      private func spread(_ x: [Float], channels: Int) -> [Float] {
        stride(from: 0, to: x.count, by: channels).flatMap { start in
          [Float](repeating: .nan, count: before) + x[start..<start + channels]
            + [Float](repeating: .nan, count: after)
        }
      }
    }

    private static func conv(
      batch: Int = 1, _ height: Int, _ width: Int, _ inputs: Int, _ outputs: Int,
      top: Int = 1, left: Int = 1, bottom: Int = 1, right: Int = 1
    ) -> df_conv2d {
      df_conv2d(
        batch: batch, in_height: height, in_width: width, in_channels: inputs,
        out_height: height + top + bottom - 2, out_width: width + left + right - 2,
        out_channels: outputs, kernel_height: 3, kernel_width: 3, stride_height: 1,
        stride_width: 1, dilation_height: 1, dilation_width: 1, pad_top: top, pad_left: left,
        groups: 1)
    }

    @Test func anyGeometry() {
      forEachInstructionSet { isa in
        var numbers = Numbers(71)
        for _ in 0..<120 {
          let v = Self.conv(
            batch: numbers.integer(1...3), numbers.integer(3...11), numbers.integer(3...11),
            numbers.integer(1...40), numbers.integer(1...70), top: numbers.integer(0...2),
            left: numbers.integer(0...2), bottom: numbers.integer(0...2),
            right: numbers.integer(0...2))
          let problem = Problem(
            &numbers, v, before: numbers.integer(0...20), after: numbers.integer(0...20))
          problem.expect(tolerance: 3e-5, "\(isa) \(v)")
        }
      }
    }

    /// Wide layers take another way through the tiles than narrow ones; the last is cut into
    /// groups.
    @Test(arguments: [
      conv(12, 9, 64, 48), conv(batch: 2, 6, 10, 128, 96), conv(9, 9, 130, 160),
      conv(90, 120, 120, 100),
    ])
    func wideLayers(_ v: df_conv2d) {
      forEachInstructionSet { isa in
        var numbers = Numbers(72)
        // Errors grow with the sums, of weights in -1...1.
        let tolerance = 2e-6 * Double(v.in_channels)
        Problem(&numbers, v).expect(tolerance: tolerance, "\(isa) \(v)")
      }
    }

    @Test func threadsDoNotChangeResults() {
      forEachInstructionSet { isa in
        var numbers = Numbers(73)
        for v in [Self.conv(batch: 2, 27, 30, 20, 24), Self.conv(21, 18, 128, 128)] {
          let problem = Problem(&numbers, v)
          expectSameForAnyThreads("\(isa) \(v)") { problem.computed() }
        }
      }
    }

    /// A channel's output can take the place of another's input in the same maps.
    @Test func worksBesideItsInput() {
      forEachInstructionSet { isa in
        var numbers = Numbers(74)
        var v = Self.conv(9, 14, 16, 8)
        let problem = Conv2d.Problem(&numbers, v)
        var packed = [Float](repeating: .nan, count: df_f32_winograd_packed_count(&v))
        df_f32_winograd_pack(&v, problem.weights, &packed)
        var maps = stride(from: 0, to: problem.x.count, by: 16).flatMap {
          problem.x[$0..<$0 + 16] + [Float](repeating: .nan, count: 8)
        }
        maps.withUnsafeMutableBufferPointer { maps in
          guard let maps = maps.baseAddress else { return }
          problem.epilogue.withKernelForm { form in
            var form = form.pointee
            form.residual = nil
            df_f32_winograd(&v, maps, 24, packed, maps + 16, 24, &form)
          }
        }
        var epilogue = problem.epilogue
        epilogue.residual = nil
        expectClose(
          maps.indices.filter { $0 % 24 >= 16 }.map { maps[$0] },
          convolved(v, problem.x, problem.weights, epilogue), tolerance: 3e-5, isa)
        #expect(maps.indices.filter { $0 % 24 < 16 }.map { maps[$0] } == problem.x)
      }
    }
  }
}
