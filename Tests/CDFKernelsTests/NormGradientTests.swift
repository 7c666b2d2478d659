import CDFKernels
import Foundation
import Testing

extension KernelTests {
  @Suite struct NormGradients {
    static func slope(of activation: df_activation, at x: Double, _ slope: Float) -> Double {
      let sigmoid = 1 / (1 + exp(-x))
      return switch activation {
      case DF_RELU: x > 0 ? 1 : 0
      case DF_LEAKY_RELU: x > 0 ? 1 : Double(slope)
      case DF_SILU: sigmoid * (1 + x * (1 - sigmoid))
      case DF_SIGMOID: sigmoid * (1 - sigmoid)
      case DF_RELU6: x > 0 && x < 6 ? 1 : 0
      default: 1
      }
    }

    /// A group norm, its activation, and the gradient of its output.
    struct Problem {
      var batch, pixels, channels, groups: Int
      var x, scale, shift, gradient: [Float]
      var activation: df_activation
      let epsilon: Float = 1e-3
      let slope: Float = 0.1

      init(
        _ numbers: inout Numbers, batch: Int, pixels: Int, channels: Int, groups: Int,
        centre: Float = 0
      ) {
        (self.batch, self.pixels, self.channels, self.groups) = (batch, pixels, channels, groups)
        x = numbers.floats(batch * pixels * channels).map { $0 + centre }
        gradient = numbers.floats(x.count)
        scale = numbers.floats(channels)
        shift = numbers.floats(channels)
        activation = Epilogue.activations[numbers.integer(0...5)]
      }

      /// The gradients of x, scale and shift; of `fixed` statistics' x as well.
      var expected: (x: [Double], fixed: [Double], scale: [Double], shift: [Double]) {
        let size = channels / groups
        var ofX = [Double](repeating: 0, count: x.count)
        var fixed = ofX
        var ofScale = [Double](repeating: 0, count: channels)
        var ofShift = ofScale
        for b in 0..<batch {
          for g in 0..<groups {
            let indices = (0..<pixels).flatMap { p in
              (0..<size).map { (b * pixels + p) * channels + g * size + $0 }
            }
            let count = Double(indices.count)
            let mean = indices.reduce(0) { $0 + Double(x[$1]) } / count
            let variance = indices.reduce(0) { $0 + pow(Double(x[$1]) - mean, 2) } / count
            let inverse = 1 / (variance + Double(epsilon)).squareRoot()
            var (sum, product) = (0.0, 0.0)
            for i in indices {
              let c = i % channels
              let normalized = (Double(x[i]) - mean) * inverse
              let z = normalized * Double(scale[c]) + Double(shift[c])
              let dz = Double(gradient[i]) * NormGradients.slope(of: activation, at: z, slope)
              ofScale[c] += dz * normalized
              ofShift[c] += dz
              sum += dz * Double(scale[c])
              product += dz * Double(scale[c]) * normalized
              fixed[i] = dz * Double(scale[c]) * inverse
            }
            for i in indices {
              let normalized = (Double(x[i]) - mean) * inverse
              ofX[i] = fixed[i] - inverse * (sum + normalized * product) / count
            }
          }
        }
        return (ofX, fixed, ofScale, ofShift)
      }

      func statistics() -> (y: [Float], statistics: [Float]) {
        var statistics = [Float](repeating: .nan, count: batch * groups * 4)
        var y = [Float](repeating: .nan, count: x.count)
        df_f32_group_norm(
          batch, pixels, channels, groups, epsilon, x, scale, shift, nil, &y, activation, slope,
          &statistics)
        return (y, statistics)
      }

      func computed(fixed: Bool = false) -> (x: [Float], scale: [Float], shift: [Float]) {
        let statistics = statistics().statistics
        var ofX = [Float](repeating: .nan, count: x.count)
        var ofScale = [Float](repeating: .nan, count: channels)
        var ofShift = ofScale
        df_f32_group_norm_gradient(
          batch, pixels, channels, groups, x, gradient, statistics, fixed, scale, shift,
          activation, slope, &ofX, &ofScale, &ofShift)
        return (ofX, ofScale, ofShift)
      }
    }

    private func check(_ problem: Problem, tolerance: Double, _ label: String) {
      let expected = problem.expected
      let found = problem.computed()
      expectClose(found.x, expected.x, tolerance: tolerance, "\(label) x")
      expectClose(found.scale, expected.scale, tolerance: tolerance, "\(label) scale")
      expectClose(found.shift, expected.shift, tolerance: tolerance, "\(label) shift")
      expectClose(
        problem.computed(fixed: true).x, expected.fixed, tolerance: tolerance, "\(label) fixed")
    }

    @Test func oddSizes() {
      forEachInstructionSet { isa in
        var numbers = Numbers(71)
        for _ in 0..<80 {
          let groups = numbers.integer(1...8)
          let problem = Problem(
            &numbers, batch: numbers.integer(1...9), pixels: numbers.integer(2...60),
            channels: groups * numbers.integer(1...20), groups: groups)
          check(
            problem, tolerance: 5e-5,
            "\(isa) \(problem.batch)x\(problem.pixels)x\(problem.channels)/\(groups)")
        }
      }
    }

    /// Several chunks of an image, and a batch norm: one image, as many groups as channels.
    @Test func manyPixels() {
      forEachInstructionSet { isa in
        var numbers = Numbers(72)
        for (batch, pixels, channels, groups) in [
          (3, 700, 136, 8), (1, 2500, 40, 40), (2, 4000, 24, 8),
        ] {
          let problem = Problem(
            &numbers, batch: batch, pixels: pixels, channels: channels, groups: groups, centre: 3)
          check(problem, tolerance: 1e-4, "\(isa) \(batch)x\(pixels)x\(channels)/\(groups)")
        }
      }
    }

    @Test func againIsTheSame() {
      forEachInstructionSet { isa in
        var numbers = Numbers(73)
        for (batch, pixels, channels) in [(3, 700, 136), (1, 33, 24), (9, 5, 8)] {
          let problem = Problem(
            &numbers, batch: batch, pixels: pixels, channels: channels, groups: 8)
          let (y, statistics) = problem.statistics()
          var again = [Float](repeating: .nan, count: y.count)
          df_f32_group_norm_again(
            batch, pixels, channels, 8, problem.x, statistics, problem.scale, problem.shift,
            &again, problem.activation, problem.slope)
          #expect(y.map(\.bitPattern) == again.map(\.bitPattern), "\(isa)")
        }
      }
    }

    @Test func threadsDoNotChangeResults() {
      forEachInstructionSet { isa in
        var numbers = Numbers(74)
        for (batch, pixels, channels) in [(4, 700, 136), (1, 5000, 24), (5, 49, 320)] {
          let problem = Problem(
            &numbers, batch: batch, pixels: pixels, channels: channels, groups: 8)
          expectSameForAnyThreads(isa) {
            let found = problem.computed()
            return found.x + found.scale + found.shift + problem.statistics().y
          }
        }
      }
    }

    @Test func activationGradientsAndDots() {
      forEachInstructionSet { isa in
        var numbers = Numbers(75)
        for count in [1, 7, 16, 33, 40_000] {
          let x = numbers.floats(count).map { $0 * 12 }
          let gradient = numbers.floats(count)
          for activation in Epilogue.activations {
            var y = [Float](repeating: .nan, count: count)
            df_f32_activation_gradient(count, x, gradient, &y, activation, 0.2)
            let expected = x.indices.map {
              Double(gradient[$0]) * Self.slope(of: activation, at: Double(x[$0]), 0.2)
            }
            expectClose(y, expected, tolerance: 2e-6, "\(isa) \(activation) of \(count)")
          }
        }
        for (batch, pixels, channels) in [(1, 1, 1), (2, 37, 19), (3, 900, 70)] {
          let (a, b) = (
            numbers.floats(batch * pixels * channels), numbers.floats(batch * pixels * channels)
          )
          var sums = [Float](repeating: .nan, count: batch * channels)
          df_f32_pixel_dots(batch, pixels, channels, a, b, &sums)
          let products = a.indices.map { Double(a[$0]) * Double(b[$0]) }
          expectClose(
            sums, pixelSums(batch: batch, pixels: pixels, channels: channels, products),
            tolerance: 1e-5, "\(isa) \(batch)x\(pixels)x\(channels)")
        }
      }
    }

    /// A network that diverges must show it.
    @Test func whatIsNotFiniteStays() {
      forEachInstructionSet { isa in
        for activation in Epilogue.activations {
          let x = [Float](repeating: .nan, count: 19)
          var y = [Float](repeating: 0, count: 19)
          df_f32_activate(19, x, &y, activation, 0.1)
          #expect(y.allSatisfy { $0.isNaN }, "\(isa) \(activation)")
          let infinite = [Float](repeating: .infinity, count: 19)
          df_f32_activate(19, infinite, &y, activation, 0.1)
          let expected: Float =
            activation == DF_SIGMOID ? 1 : activation == DF_RELU6 ? 6 : .infinity
          #expect(y.allSatisfy { $0 == expected }, "\(isa) \(activation): \(y[0])")
        }
        var x = [Float](repeating: 1, count: 64)
        x[5] = .nan
        var y = [Float](repeating: 0, count: 64)
        let one = [Float](repeating: 1, count: 4)
        df_f32_group_norm(1, 16, 4, 2, 1e-5, x, one, one, nil, &y, DF_SILU, 0, nil)
        #expect(y.enumerated().allSatisfy { $0 % 4 >= 2 || $1.isNaN }, "\(isa)")
      }
    }
  }
}
