import CDFKernels
import Testing

extension KernelTests {
  /// Convolutions of several groups (grouped.c) against the plain definition in double precision,
  /// and against the plain convolution whose weights are zero between the groups.
  @Suite struct Grouped {
    /// Few and many channels a group, of more than one strip, image and task.
    @Test(arguments: [4, 8, 12, 16, 32, 33, 48, 64, 70], [1, 2])
    func layersOfNetworks(_ channels: Int, _ stride: Int) {
      forEachInstructionSet { isa in
        var numbers = Numbers(UInt64(channels * 10 + stride))
        for (size, batch) in [(1, 2), (7, 2), (14, 1), (15, 1)] {
          let groups = numbers.integer(2...5)
          let v = Conv2d.layer(
            batch: batch, size: size, channels * groups, channels * groups, kernel: 3,
            stride: stride, groups: groups)
          let problem = Conv2d.Problem(&numbers, v)
          expectClose(problem.computed(), problem.expected, tolerance: 3e-5, "\(isa) \(v)")
        }
      }
    }

    @Test func anyGeometry() {
      forEachInstructionSet { isa in
        var numbers = Numbers(31)
        for _ in 0..<150 {
          let v = Conv2d.random(
            &numbers, groups: numbers.integer(2...9), inputs: numbers.integer(1...20),
            outputs: numbers.integer(1...40))
          let problem = Conv2d.Problem(&numbers, v)
          expectClose(problem.computed(), problem.expected, tolerance: 1e-5, "\(isa) \(v)")
        }
      }
    }

    /// Large maps are cut into strips, and a kernel of more rows and columns than windows may have
    /// runs is gathered.
    @Test(arguments: [
      Conv2d.layer(size: 61, 32, 32, kernel: 3, groups: 4),
      Conv2d.layer(batch: 2, size: 40, 64, 64, kernel: 3, stride: 2, groups: 8),
      Conv2d.layer(size: 9, 8, 6, kernel: 7, groups: 2),
      Conv2d.layer(size: 9, 8, 8, kernel: 51, groups: 2),
    ])
    func largeMapsAndKernels(_ v: df_conv2d) {
      forEachInstructionSet { isa in
        var numbers = Numbers(32)
        let problem = Conv2d.Problem(&numbers, v)
        expectClose(problem.computed(), problem.expected, tolerance: 3e-5, "\(isa) \(v)")
      }
    }

    @Test func aPlainConvolutionOfTheSameWeightsIsTheSame() {
      forEachInstructionSet { isa in
        var numbers = Numbers(33)
        for (groups, inputs, outputs, stride) in [(4, 8, 8, 1), (2, 16, 24, 2), (3, 5, 7, 2)] {
          let v = Conv2d.layer(
            batch: 2, size: 13, groups * inputs, groups * outputs, kernel: 3, stride: stride,
            groups: groups)
          let problem = Conv2d.Problem(&numbers, v)
          var plain = problem
          plain.conv.groups = 1
          let row = groups * outputs
          plain.weights = [Float](repeating: 0, count: 9 * groups * inputs * row)
          for tap in 0..<9 {
            for input in 0..<groups * inputs {
              let group = input / inputs
              for column in group * outputs..<(group + 1) * outputs {
                plain.weights[(tap * groups * inputs + input) * row + column] =
                  problem.weights[(tap * inputs + input % inputs) * row + column]
              }
            }
          }
          let found = problem.computed()
          expectClose(
            found, plain.computed().map(Double.init), tolerance: 1e-5,
            "\(isa) \(groups) groups, stride \(stride)")
        }
      }
    }

    @Test func threadsDoNotChangeResults() {
      forEachInstructionSet { isa in
        var numbers = Numbers(34)
        for v in [
          Conv2d.layer(size: 30, 64, 64, kernel: 3, groups: 8),
          Conv2d.layer(batch: 3, size: 17, 128, 128, kernel: 3, stride: 2, groups: 4),
          Conv2d.layer(size: 7, 192, 192, kernel: 3, groups: 2),
        ] {
          let problem = Conv2d.Problem(&numbers, v)
          expectSameForAnyThreads("\(isa) \(v)") { problem.computed() }
        }
      }
    }
  }
}
