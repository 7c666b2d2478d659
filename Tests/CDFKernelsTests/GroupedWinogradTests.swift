import CDFKernels
import Testing

extension KernelTests {
  /// Winograd's method for convolutions of several groups (winograd_grouped.c).
  @Suite struct GroupedWinograd {
    private static func computed(_ problem: Conv2d.Problem) -> [Float] {
      var v = problem.conv
      var packed = [Float](repeating: .nan, count: df_f32_winograd_packed_count(&v))
      df_f32_winograd_pack(&v, problem.weights, &packed)
      var y = [Float](repeating: .nan, count: Conv2d.Problem.outputs(v))
      problem.epilogue.withKernelForm {
        df_f32_winograd(&v, problem.x, v.in_channels, packed, &y, v.out_channels, $0)
      }
      return y
    }

    @Test(arguments: [3, 16, 32, 48, 50, 64])
    func itIsTheConvolution(_ channels: Int) {
      forEachInstructionSet { isa in
        var numbers = Numbers(UInt64(40 + channels))
        for (size, batch) in [(1, 1), (2, 2), (7, 2), (14, 1), (31, 1)] {
          let groups = numbers.integer(2...4), outputs = channels + numbers.integer(0...9)
          let v = Conv2d.layer(
            batch: batch, size: size, channels * groups, outputs * groups, kernel: 3,
            groups: groups)
          var fits = v
          #expect(df_f32_winograd_fits(&fits))
          let problem = Conv2d.Problem(&numbers, v)
          expectClose(Self.computed(problem), problem.expected, tolerance: 5e-5, "\(isa) \(v)")
        }
      }
    }

    /// Outputs that do not keep the input's size, and padding of other widths.
    @Test func anyPadding() {
      forEachInstructionSet { isa in
        var numbers = Numbers(41)
        for _ in 0..<60 {
          var v = Conv2d.random(
            &numbers, groups: numbers.integer(2...4), inputs: numbers.integer(1...20),
            outputs: numbers.integer(1...40))
          v.kernel_height = 3
          v.kernel_width = 3
          v.stride_height = 1
          v.stride_width = 1
          v.dilation_height = 1
          v.dilation_width = 1
          let problem = Conv2d.Problem(&numbers, v)
          expectClose(Self.computed(problem), problem.expected, tolerance: 3e-5, "\(isa) \(v)")
        }
      }
    }

    @Test func threadsDoNotChangeResults() {
      forEachInstructionSet { isa in
        var numbers = Numbers(42)
        let v = Conv2d.layer(batch: 2, size: 29, 128, 128, kernel: 3, groups: 4)
        let problem = Conv2d.Problem(&numbers, v)
        expectSameForAnyThreads("\(isa)") { Self.computed(problem) }
      }
    }
  }
}
