import CDFKernels
import Testing

extension KernelTests {
  @Suite struct Gradients {
    // MARK: Products

    /// The product of a transposed matrix with another, in double precision.
    private func product(
      _ terms: Int, _ rows: Int, _ columns: Int, _ a: [Float], _ lda: Int, _ b: [Float], _ ldb: Int
    ) -> [Double] {
      var c = [Double](repeating: 0, count: rows * columns)
      for term in 0..<terms {
        for row in 0..<rows {
          let element = Double(a[term * lda + row])
          for column in 0..<columns {
            c[row * columns + column] += element * Double(b[term * ldb + column])
          }
        }
      }
      return c
    }

    @Test func transposedProducts() {
      forEachInstructionSet { isa in
        var numbers = Numbers(61)
        var shapes = (0..<150).map { _ in
          (numbers.integer(0...90), numbers.integer(1...60), numbers.integer(1...80))
        }
        // Several blocks of terms, several segments, several tasks across and down.
        shapes += [(700, 5, 9), (2100, 20, 40), (300, 150, 24), (40, 280, 300), (1500, 33, 3)]
        for (terms, rows, columns) in shapes {
          let (lda, ldb) = (rows + numbers.integer(0...5), columns + numbers.integer(0...5))
          let ldc = columns + numbers.integer(0...3)
          let (a, b) = (numbers.floats(terms * lda), numbers.floats(terms * ldb))
          var c = [Float](repeating: .nan, count: rows * ldc)
          df_f32_gemm_transposed(terms, rows, columns, a, lda, b, ldb, &c, ldc)
          let found = (0..<rows).flatMap { c[$0 * ldc..<$0 * ldc + columns] }
          expectClose(
            found, product(terms, rows, columns, a, lda, b, ldb), tolerance: 2e-5,
            "\(isa) \(terms): \(rows)x\(columns)")
          let rest = (0..<rows).flatMap { c[$0 * ldc + columns..<($0 + 1) * ldc] }
          #expect(rest.allSatisfy { $0.isNaN }, "\(isa): wrote beside its columns")
        }
      }
    }

    @Test func threadsDoNotChangeTransposedProducts() {
      forEachInstructionSet { isa in
        var numbers = Numbers(62)
        for (terms, rows, columns) in [(5000, 24, 40), (900, 130, 270)] {
          let (a, b) = (numbers.floats(terms * rows), numbers.floats(terms * columns))
          expectSameForAnyThreads("\(isa) \(terms): \(rows)x\(columns)") {
            var c = [Float](repeating: .nan, count: rows * columns)
            df_f32_gemm_transposed(terms, rows, columns, a, rows, b, columns, &c, columns)
            return c
          }
        }
      }
    }

    @Test func packingTransposedIsPackingTheTransposed() {
      forEachInstructionSet { isa in
        var numbers = Numbers(63)
        for (k, n) in [(1, 1), (5, 40), (33, 17), (70, 96), (300, 260)] {
          let b = numbers.floats(k * n)
          let transposed = (0..<n * k).map { b[$0 % k * n + $0 / k] }
          let count = df_f32_packed_count(k, n)
          var packed = [Float](repeating: .nan, count: count)
          var found = packed
          df_f32_pack(k, n, b, n, &packed)
          df_f32_pack_transposed(k, n, transposed, k, &found)
          #expect(packed == found, "\(isa) \(k)x\(n)")
        }
      }
    }

    // MARK: Convolutions

    /// The gradients of weights and input in double precision.
    private func convolutionGradients(
      _ v: df_conv2d, _ x: [Float], _ weights: [Float], _ gradient: [Float]
    ) -> (weights: [Double], x: [Double]) {
      let (inputs, outputs) = (v.in_channels / v.groups, v.out_channels / v.groups)
      var ofWeights = [Double](repeating: 0, count: weights.count)
      var ofX = [Double](repeating: 0, count: x.count)
      var at = 0
      for b in 0..<v.batch {
        for oy in 0..<v.out_height {
          for ox in 0..<v.out_width {
            for o in 0..<v.out_channels {
              let g = Double(gradient[at])
              at += 1
              for ky in 0..<v.kernel_height {
                let iy = oy * v.stride_height + ky * v.dilation_height - v.pad_top
                guard (0..<v.in_height).contains(iy) else { continue }
                for kx in 0..<v.kernel_width {
                  let ix = ox * v.stride_width + kx * v.dilation_width - v.pad_left
                  guard (0..<v.in_width).contains(ix) else { continue }
                  let pixel = ((b * v.in_height + iy) * v.in_width + ix) * v.in_channels
                  for i in 0..<inputs {
                    let weight = ((ky * v.kernel_width + kx) * inputs + i) * v.out_channels + o
                    let element = pixel + o / outputs * inputs + i
                    ofWeights[weight] += g * Double(x[element])
                    ofX[element] += g * Double(weights[weight])
                  }
                }
              }
            }
          }
        }
      }
      return (ofWeights, ofX)
    }

    /// A convolution of a random shape.
    private func randomConvolution(_ numbers: inout Numbers, depthwise: Bool) -> df_conv2d {
      let groups = depthwise ? numbers.integer(1...70) : numbers.integer(1...3)
      let common = numbers.flip()
      func stride(_ numbers: inout Numbers) -> Int {
        common ? 1 : numbers.integer(1...3)
      }
      var v = df_conv2d()
      v.batch = numbers.integer(1...3)
      v.groups = groups
      v.in_channels = depthwise ? groups : groups * numbers.integer(1...9)
      v.out_channels = depthwise ? groups : groups * numbers.integer(1...20)
      v.kernel_height = numbers.integer(1...5)
      v.kernel_width = numbers.flip() ? v.kernel_height : numbers.integer(1...5)
      v.stride_height = stride(&numbers)
      v.stride_width = numbers.flip() ? v.stride_height : stride(&numbers)
      v.dilation_height = numbers.integer(1...4) == 1 ? 2 : 1
      v.dilation_width = numbers.integer(1...4) == 1 ? 2 : 1
      v.pad_top = numbers.integer(0...3)
      v.pad_left = numbers.integer(0...3)
      let (bottom, right) = (numbers.integer(0...3), numbers.integer(0...3))
      let reachDown = (v.kernel_height - 1) * v.dilation_height + 1
      let reachAcross = (v.kernel_width - 1) * v.dilation_width + 1
      v.in_height = reachDown + numbers.integer(0...9)
      v.in_width = reachAcross + numbers.integer(0...20)
      v.out_height = (v.in_height + v.pad_top + bottom - reachDown) / v.stride_height + 1
      v.out_width = (v.in_width + v.pad_left + right - reachAcross) / v.stride_width + 1
      return v
    }

    private func computed(
      _ v: df_conv2d, _ x: [Float], _ weights: [Float], _ gradient: [Float]
    ) -> (weights: [Float], x: [Float]) {
      var conv = v
      var ofWeights = [Float](repeating: .nan, count: weights.count)
      var ofX = [Float](repeating: .nan, count: x.count)
      var space = [Float](repeating: .nan, count: df_f32_conv2d_input_gradient_space(&conv))
      df_f32_conv2d_weight_gradient(&conv, x, gradient, &ofWeights)
      df_f32_conv2d_input_gradient(&conv, gradient, weights, &space, &ofX)
      return (ofWeights, ofX)
    }

    private func check(
      _ v: df_conv2d, _ numbers: inout Numbers, _ isa: String, tolerance: Double = 2e-5
    ) {
      let x = numbers.floats(v.batch * v.in_height * v.in_width * v.in_channels)
      let weights = numbers.floats(
        v.kernel_height * v.kernel_width * v.in_channels / v.groups * v.out_channels)
      let gradient = numbers.floats(v.batch * v.out_height * v.out_width * v.out_channels)
      let expected = convolutionGradients(v, x, weights, gradient)
      let found = computed(v, x, weights, gradient)
      expectClose(found.weights, expected.weights, tolerance: tolerance, "\(isa) weights of \(v)")
      expectClose(found.x, expected.x, tolerance: 2e-5, "\(isa) input of \(v)")
    }

    @Test(arguments: [false, true])
    func randomConvolutions(depthwise: Bool) {
      forEachInstructionSet { isa in
        var numbers = Numbers(depthwise ? 64 : 65)
        for _ in 0..<150 {
          check(randomConvolution(&numbers, depthwise: depthwise), &numbers, isa)
        }
      }
    }

    /// The kernels that networks use, on maps wide enough for whole tiles and on maps kept afar.
    @Test func depthwiseKernels() {
      forEachInstructionSet { isa in
        var numbers = Numbers(66)
        for kernel in [3, 5] {
          for stride in [1, 2] {
            for (size, channels) in [(7, 96), (20, 33), (56, 112), (23, 24)] {
              for first in [0, kernel / 2] {
                let out = (size + kernel - 1 - kernel) / stride + 1
                let v = df_conv2d(
                  batch: 2, in_height: size, in_width: size, in_channels: channels,
                  out_height: out, out_width: out, out_channels: channels,
                  kernel_height: kernel, kernel_width: kernel, stride_height: stride,
                  stride_width: stride, dilation_height: 1, dilation_width: 1, pad_top: first,
                  pad_left: first, groups: channels)
                // Three thousand products of either sign add up to a weight's gradient.
                check(v, &numbers, isa, tolerance: 1e-4)
              }
            }
          }
        }
      }
    }

    @Test func threadsDoNotChangeConvolutionGradients() {
      forEachInstructionSet { isa in
        var numbers = Numbers(67)
        for (groups, inputs, outputs, stride) in [(1, 6, 20, 2), (48, 48, 48, 1), (48, 48, 48, 2)] {
          let v = df_conv2d(
            batch: 3, in_height: 30, in_width: 30, in_channels: inputs,
            out_height: 30 / stride, out_width: 30 / stride, out_channels: outputs,
            kernel_height: 3, kernel_width: 3, stride_height: stride, stride_width: stride,
            dilation_height: 1, dilation_width: 1, pad_top: 1, pad_left: 1, groups: groups)
          let x = numbers.floats(v.batch * 900 * inputs)
          let weights = numbers.floats(9 * inputs / groups * outputs)
          let gradient = numbers.floats(v.batch * v.out_height * v.out_width * outputs)
          expectSameForAnyThreads("\(isa) \(groups) groups, stride \(stride)") {
            let found = computed(v, x, weights, gradient)
            return found.weights + found.x
          }
        }
      }
    }
  }
}
