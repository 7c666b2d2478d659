import CDFKernels
import Foundation
import Testing

extension KernelTests {
  @Suite struct Norms {
    /// A group norm of values around `centre`.
    struct Problem {
      var batch, pixels, channels, groups: Int
      var x, scale, shift: [Float]
      var epilogue: Epilogue
      let epsilon: Float = 1e-5

      init(
        _ numbers: inout Numbers, batch: Int, pixels: Int, channels: Int, groups: Int,
        centre: Float = 0
      ) {
        (self.batch, self.pixels, self.channels, self.groups) = (batch, pixels, channels, groups)
        x = numbers.floats(batch * pixels * channels).map { $0 + centre }
        scale = numbers.floats(channels)
        shift = numbers.floats(channels)
        epilogue = Epilogue(&numbers, channels: channels, outputs: x.count)
        epilogue.bias = nil
      }

      var expected: [Double] {
        let size = channels / groups
        var y = [Double](repeating: 0, count: x.count)
        for b in 0..<batch {
          for g in 0..<groups {
            let indices = (0..<pixels).flatMap { p in
              (0..<size).map { (b * pixels + p) * channels + g * size + $0 }
            }
            let mean = indices.reduce(0) { $0 + Double(x[$1]) } / Double(indices.count)
            let variance =
              indices.reduce(0) { $0 + pow(Double(x[$1]) - mean, 2) } / Double(indices.count)
            let factor = 1 / (variance + Double(epsilon)).squareRoot()
            for i in indices {
              let c = i % channels
              let value = (Double(x[i]) - mean) * factor * Double(scale[c]) + Double(shift[c])
              y[i] = epilogue(value, channel: c, at: i)
            }
          }
        }
        return y
      }

      func computed(inPlace: Bool = false) -> [Float] {
        var y = inPlace ? x : [Float](repeating: .nan, count: x.count)
        epilogue.withKernelForm { form in
          let (residual, activation, slope) = (
            form.pointee.residual, form.pointee.activation, form.pointee.slope
          )
          y.withUnsafeMutableBufferPointer { buffer in
            x.withUnsafeBufferPointer { input in
              df_f32_group_norm(
                batch, pixels, channels, groups, epsilon,
                inPlace ? UnsafePointer(buffer.baseAddress) : input.baseAddress, scale, shift,
                residual, buffer.baseAddress, activation, slope, nil)
            }
          }
        }
        return y
      }
    }

    @Test func oddSizes() {
      forEachInstructionSet { isa in
        var numbers = Numbers(31)
        for _ in 0..<80 {
          let groups = numbers.integer(1...8)
          let problem = Problem(
            &numbers, batch: numbers.integer(1...3), pixels: numbers.integer(2...60),
            channels: groups * numbers.integer(1...20), groups: groups)
          let label = "\(isa) \(problem.pixels)x\(problem.channels)/\(groups)"
          expectClose(problem.computed(), problem.expected, tolerance: 3e-5, label)
          expectClose(problem.computed(inPlace: true), problem.expected, tolerance: 3e-5, label)
        }
      }
    }

    /// The mean is a hundred standard deviations away: a sum of squares in Float32 would lose it.
    @Test func largeMeans() {
      forEachInstructionSet { isa in
        var numbers = Numbers(32)
        let problem = Problem(
          &numbers, batch: 2, pixels: 3000, channels: 24, groups: 8, centre: 60)
        // The inputs themselves are rounded to 4e-6, which the norm magnifies.
        expectClose(problem.computed(), problem.expected, tolerance: 3e-5, isa)
      }
    }

    @Test func threadsDoNotChangeResults() {
      forEachInstructionSet { isa in
        var numbers = Numbers(33)
        for (pixels, channels) in [(5000, 16), (49, 1632)] {
          let problem = Problem(
            &numbers, batch: 2, pixels: pixels, channels: channels, groups: 8)
          expectSameForAnyThreads(isa) { problem.computed() }
        }
      }
    }

    @Test func reductionsAndScaling() {
      forEachInstructionSet { isa in
        var numbers = Numbers(34)
        for (batch, pixels, channels) in [(1, 1, 1), (2, 37, 19), (3, 900, 70), (2, 6, 2688)] {
          let x = numbers.floats(batch * pixels * channels)
          let label = "\(isa) \(batch)x\(pixels)x\(channels)"
          var sums = [Float](repeating: .nan, count: batch * channels)
          df_f32_pixel_sums(batch, pixels, channels, x, &sums)
          let doubles = x.map(Double.init)
          expectClose(
            sums, pixelSums(batch: batch, pixels: pixels, channels: channels, doubles),
            tolerance: 1e-5, label)

          let scale = numbers.floats(batch * channels)
          var y = [Float](repeating: .nan, count: x.count)
          df_f32_scale_channels(batch, pixels, channels, x, scale, nil, &y)
          let scaled = x.indices.map { i in
            doubles[i] * Double(scale[i / (pixels * channels) * channels + i % channels])
          }
          expectClose(y, scaled, tolerance: 1e-6, label)
          let terms = numbers.floats(batch * channels)
          df_f32_scale_channels(batch, pixels, channels, x, scale, terms, &y)
          let moved = x.indices.map { i in
            scaled[i] + Double(terms[i / (pixels * channels) * channels + i % channels])
          }
          expectClose(y, moved, tolerance: 1e-6, label)

          let shift = numbers.floats(channels)
          for activation in Epilogue.activations {
            df_f32_scale_shift(
              batch * pixels, channels, x, scale, shift, &y, activation, 0.2)
            let shifted = x.indices.map { i in
              let c = i % channels
              return activated(doubles[i] * Double(scale[c]) + Double(shift[c]), activation, 0.2)
            }
            expectClose(y, shifted, tolerance: 1e-6, label)
          }
        }
      }
    }

    @Test func emptyImages() {
      var sums: [Float] = [7, 7]
      df_f32_pixel_sums(1, 0, 2, [], &sums)
      #expect(sums == [0, 0])
      var y: [Float] = []
      var statistics: [Float] = [7, 7, 7, 7]
      df_f32_group_norm(
        1, 0, 2, 1, 1e-5, [], [1, 1], [0, 0], nil, &y, DF_SILU, 0, &statistics)
      #expect(statistics == [0, 0, 0, 0])
    }
  }
}
