import CDFKernels
import Foundation
import Testing

extension KernelTests {
  @Suite struct LSTM {
    private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

    @Test func aStepIsTheEquations() {
      forEachInstructionSet { isa in
        var numbers = Numbers(51)
        for hidden in [1, 3, 4, 15, 16, 17, 70] {
          let scale: [Float] = [0.01, 3, 40]
          let sums = numbers.floats(4 * hidden).enumerated().map { $1 * scale[$0 % 3] }
          let recurrent = numbers.floats(4 * hidden)
          let before = numbers.floats(hidden).map { 3 * $0 }
          var (gates, cell) = (sums, before)
          var output = [Float](repeating: .nan, count: hidden)
          df_f32_lstm_step(hidden, &gates, recurrent, &cell, &output)
          let added = zip(sums, recurrent).map { Double($0 + $1) }
          let expected = added.enumerated().map { $0 / hidden == 2 ? tanh($1) : sigmoid($1) }
          let cells = (0..<hidden).map {
            expected[$0] * expected[2 * hidden + $0] + expected[hidden + $0] * Double(before[$0])
          }
          expectClose(gates, expected, tolerance: 1e-6, "\(isa) \(hidden) gates")
          expectClose(cell, cells, tolerance: 1e-6, "\(isa) \(hidden) cell")
          expectClose(
            output, (0..<hidden).map { expected[3 * hidden + $0] * tanh(cells[$0]) },
            tolerance: 1e-6, "\(isa) \(hidden) output")
        }
      }
    }

    /// The relative error of the candidate's hyperbolic tangent, over its whole useful range.
    @Test func theHyperbolicTangentIsAccurate() {
      let x = (-48_000...48_000).map { Float($0) * 0.0002 }
      forEachInstructionSet { isa in
        let zeros = [Float](repeating: 0, count: x.count)
        var gates = zeros + zeros + x + zeros
        var (cell, output) = (zeros, zeros)
        df_f32_lstm_step(x.count, &gates, zeros + zeros + zeros + zeros, &cell, &output)
        let worst = x.indices.reduce(0.0) { worst, i in
          let expected = tanh(Double(x[i]))
          let error = abs(Double(gates[2 * x.count + i]) - expected)
          return max(worst, x[i] == 0 ? error : error / abs(expected))
        }
        #expect(worst <= 4e-7, "\(isa)")
      }
    }

    @Test func theEndsAndNaN() {
      forEachInstructionSet { isa in
        let ends: [Float] = [-.infinity, -1e30, 1e30, .infinity, .nan]
        let zeros = [Float](repeating: 0, count: 5)
        var gates = ends + ends + ends + ends
        var (cell, output) = (zeros, zeros)
        df_f32_lstm_step(5, &gates, zeros + zeros + zeros + zeros, &cell, &output)
        #expect(Array(gates[10..<14]) == [-1, -1, 1, 1] && gates[14].isNaN, "\(isa)")
        #expect(gates[0] < 1e-37 && gates[3] == 1 && gates[4].isNaN, "\(isa)")
        #expect(cell[3] == 1 && abs(output[3] - tanh(1)) < 1e-6 && output[4].isNaN, "\(isa)")
      }
    }

    /// The product is the plain one to the bit, in both orders and for any number of threads.
    @Test func theProductIsThePlainOne() {
      forEachInstructionSet { isa in
        var numbers = Numbers(53)
        for (batch, hidden) in [(1, 1), (2, 5), (3, 37), (1, 300), (1, 520), (5, 64), (17, 33)] {
          let outputs = numbers.floats(batch * hidden)
          let weights = numbers.floats(4 * hidden * hidden)
          var packed = [Float](repeating: .nan, count: df_f32_packed_count(hidden, 4 * hidden))
          df_f32_pack(hidden, 4 * hidden, weights, 4 * hidden, &packed)
          var expected = [Float](repeating: .nan, count: batch * 4 * hidden)
          df_f32_gemm_packed(
            batch, 4 * hidden, hidden, outputs, hidden, packed, &expected, 4 * hidden, nil)
          for backward in [false, true] {
            let label = "\(isa) \(batch) \(hidden) \(backward)"
            func product() -> [Float] {
              var sums = [Float](repeating: .nan, count: batch * 4 * hidden)
              df_f32_lstm_product(batch, hidden, outputs, packed, backward, &sums)
              return sums
            }
            #expect(product() == expected, "\(label)")
            expectSameForAnyThreads(label, product)
          }
        }
      }
    }

    @Test(arguments: [false, true])
    func gradientsAreTheDerivatives(hasState: Bool) {
      forEachInstructionSet { isa in
        var numbers = Numbers(52)
        for hidden in [1, 5, 16, 33] {
          let gates = numbers.floats(4 * hidden).enumerated().map { place, u in
            place / hidden == 2 ? u : 0.5 + 0.49 * u
          }
          let before = hasState ? numbers.floats(hidden) : [Float](repeating: 0, count: hidden)
          let cell = (0..<hidden).map {
            gates[$0] * gates[2 * hidden + $0] + gates[hidden + $0] * before[$0]
          }
          let (ofOutput, ofCell) = (numbers.floats(hidden), numbers.floats(hidden))
          var found = ofCell
          var sums = [Float](repeating: .nan, count: 4 * hidden)
          before.withUnsafeBufferPointer {
            df_f32_lstm_step_gradient(
              hidden, gates, hasState ? $0.baseAddress : nil, cell, ofOutput, &found, &sums)
          }
          var expected = [Double](repeating: 0, count: 4 * hidden)
          var cells = [Double](repeating: 0, count: hidden)
          for i in 0..<hidden {
            let gate = (0..<4).map { Double(gates[$0 * hidden + i]) }
            let squashed = tanh(Double(cell[i]))
            let ofCells =
              Double(ofCell[i]) + Double(ofOutput[i]) * gate[3] * (1 - squashed * squashed)
            expected[i] = ofCells * gate[2] * gate[0] * (1 - gate[0])
            expected[hidden + i] = ofCells * Double(before[i]) * gate[1] * (1 - gate[1])
            expected[2 * hidden + i] = ofCells * gate[0] * (1 - gate[2] * gate[2])
            expected[3 * hidden + i] =
              Double(ofOutput[i]) * squashed * gate[3] * (1 - gate[3])
            cells[i] = ofCells * gate[1]
          }
          expectClose(sums, expected, tolerance: 1e-6, "\(isa) \(hidden) sums")
          expectClose(found, cells, tolerance: 1e-6, "\(isa) \(hidden) cell")
        }
      }
    }
  }
}
