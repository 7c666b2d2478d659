import CDFKernels
import Foundation
import Testing

extension KernelTests {
  @Suite struct Elementwise {
    /// The relative error of sigmoid and SiLU over their whole useful range.
    @Test func activationsAreAccurate() {
      let x = (-430_000...430_000).map { Float($0) * 0.0002 }
      forEachInstructionSet { isa in
        var y = [Float](repeating: .nan, count: x.count)
        for activation in [DF_SIGMOID, DF_SILU] {
          df_f32_activate(x.count, x, &y, activation, 0)
          var near = 0.0
          var far = 0.0
          for (x, y) in zip(x, y) where x != 0 {
            let expected = activated(Double(x), activation, 0)
            let error = abs(Double(y) - expected) / abs(expected)
            if abs(x) <= 10 { near = max(near, error) } else { far = max(far, error) }
          }
          #expect(near <= 7e-7, "\(isa)")
          #expect(far <= 4e-6, "\(isa)")
        }
      }
    }

    @Test func activationsAtTheEnds() {
      forEachInstructionSet { isa in
        let x: [Float] = [-.infinity, -1e30, -200, -0.0, 0, 200, 1e30, .infinity, .nan]
        for activation in Epilogue.activations {
          var y = [Float](repeating: 7, count: x.count)
          df_f32_activate(x.count, x, &y, activation, 0.5)
          #expect(y[8].isNaN, "\(isa)")
          #expect(y[3] == (activation == DF_SIGMOID ? 0.5 : 0), "\(isa)")
          #expect(y[4] == (activation == DF_SIGMOID ? 0.5 : 0), "\(isa)")
          let most: Float? = activation == DF_SIGMOID ? 1 : activation == DF_RELU6 ? 6 : nil
          #expect(y[5] == most ?? 200 && y[6] == most ?? 1e30, "\(isa)")
          switch activation {
          case DF_RELU, DF_RELU6: #expect(y[0] == 0 && y[1] == 0, "\(isa)")
          case DF_LEAKY_RELU: #expect(y[0] == -.infinity && y[2] == -100, "\(isa)")
          case DF_SIGMOID: #expect(y[0] < 1e-37 && y[0] >= 0 && y[1] < 1e-37, "\(isa)")
          case DF_SILU: #expect(abs(y[2]) < 1e-34, "\(isa)")
          default: #expect(y[0] == -.infinity, "\(isa)")
          }
        }
      }
    }

    @Test func lengthsAndAliases() {
      forEachInstructionSet { isa in
        var numbers = Numbers(41)
        for count in [0, 1, 3, 15, 16, 17, 64, 70_001] {
          let a = numbers.floats(count)
          let b = numbers.floats(count)
          var y = a
          y.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            df_f32_add(count, base, b, base)
            df_f32_activate(count, base, base, DF_LEAKY_RELU, 0.25)
          }
          let expected = zip(a, b).map { activated(Double($0 + $1), DF_LEAKY_RELU, 0.25) }
          expectClose(y, expected, tolerance: 1e-6, "\(isa) \(count)")
        }
      }
    }

    @Test(arguments: [[0, 1, 2], [2, 1, 0], [1, 2, 0]] as [[UInt8]])
    func normalisesPixels(order: [UInt8]) {
      let scale: [Float] = [0.0171, 0.0175, 0.0174]
      let shift: [Float] = [-2.118, -2.036, -1.804]
      forEachInstructionSet { isa in
        var numbers = Numbers(42)
        for pixels in [1, 5, 16, 17, 100, 9000] {
          let x = (0..<pixels * 3).map { _ in UInt8(numbers.integer(0...255)) }
          var y = [Float](repeating: .nan, count: x.count)
          df_u8_normalize(pixels, x, order, scale, shift, &y)
          let expected = x.indices.map { i in
            Double(x[i / 3 * 3 + Int(order[i % 3])]) * Double(scale[i % 3]) + Double(shift[i % 3])
          }
          expectClose(y, expected, tolerance: 1e-6, "\(isa) \(pixels)")
        }
      }
    }
  }
}
