import CDFKernels
import Foundation
import Testing

extension KernelTests {
  @Suite struct InvertedBottleneck {
    /// A block and its input.
    struct Block {
      var batch, height, width, inputs, channels, squeezed, outputs, kernel, stride: Int
      var widens = true
      var groups = 0
      /// Without squeeze and excitation, and with ReLU6, as in EfficientNet-Lite.
      var isLite = false

      var padding: Int { (kernel - 1) / 2 }
      var outHeight: Int { (height + 2 * padding - kernel) / stride + 1 }
      var outWidth: Int { (width + 2 * padding - kernel) / stride + 1 }
      var hasResidual: Bool { stride == 1 && inputs == outputs }

      var depthwise: df_conv2d {
        df_conv2d(
          batch: batch, in_height: height, in_width: width, in_channels: channels,
          out_height: outHeight, out_width: outWidth, out_channels: channels,
          kernel_height: kernel, kernel_width: kernel, stride_height: stride,
          stride_width: stride, dilation_height: 1, dilation_width: 1, pad_top: padding,
          pad_left: padding, groups: channels)
      }

      var label: String {
        "\(batch) of \(height)x\(width), \(inputs)-\(channels)-\(outputs), kernel \(kernel),"
          + " stride \(stride), \(widens ? "widens" : "as wide"), \(groups) groups"
          + (isLite ? ", lite" : "")
      }
    }

    /// A product's weights, as they are and in panels, with a bias.
    struct Product {
      let inputs, outputs: Int
      let weights, bias: [Float]

      init(_ numbers: inout Numbers, _ inputs: Int, _ outputs: Int) {
        (self.inputs, self.outputs) = (inputs, outputs)
        let scale = 1 / Float(inputs).squareRoot()
        weights = numbers.floats(inputs * outputs).map { $0 * scale }
        bias = numbers.floats(outputs)
      }

      var panels: [Float] {
        var packed = [Float](repeating: .nan, count: df_f32_packed_count(inputs, outputs))
        df_f32_pack(inputs, outputs, weights, outputs, &packed)
        return packed
      }

      func callAsFunction(_ x: [Double], hasBias: Bool = true) -> [Double] {
        (0..<x.count / inputs).flatMap { row in
          (0..<outputs).map { column in
            (0..<inputs).reduce(hasBias ? Double(bias[column]) : 0) {
              $0 + x[row * inputs + $1] * Double(weights[$1 * outputs + column])
            }
          }
        }
      }
    }

    /// All of a block's numbers.
    struct Problem {
      let block: Block
      let widen, reduce, excite, project: Product
      let filters, filterBias, x: [Float]
      let scales, shifts: [[Float]]
      let epsilon: Float = 1e-3

      init(_ numbers: inout Numbers, _ block: Block) {
        self.block = block
        widen = Product(&numbers, block.inputs, block.channels)
        reduce = Product(&numbers, block.channels, block.squeezed)
        excite = Product(&numbers, block.squeezed, block.channels)
        project = Product(&numbers, block.channels, block.outputs)
        filters = numbers.floats(block.kernel * block.kernel * block.channels)
        filterBias = numbers.floats(block.channels)
        // A mean far from zero is what makes a norm's statistics hard.
        x = numbers.floats(block.batch * block.height * block.width * block.inputs).map { $0 + 2 }
        let channels = [block.channels, block.channels, block.outputs]
        scales = channels.map { numbers.floats($0).map { $0 + 1.5 } }
        shifts = channels.map { numbers.floats($0) }
      }

      func computed() -> [Float] {
        var conv = block.depthwise
        var packedFilters = [Float](
          repeating: .nan, count: df_f32_mbconv_filters_count(&conv))
        df_f32_mbconv_pack_filters(
          &conv, filters, block.groups == 0 ? filterBias : nil, &packedFilters)
        let plain = block.groups == 0
        let memory = [widen, reduce, excite, project].map { [$0.panels, $0.bias] }.flatMap { $0 }
        let constants = [packedFilters] + scales + shifts
        let output = block.batch * block.outHeight * block.outWidth * block.outputs
        return withPointers(memory + constants) { p in
          var call = df_mbconv()
          call.depthwise = conv
          call.in_channels = block.inputs
          call.squeezed = block.isLite ? 0 : block.squeezed
          call.out_channels = block.outputs
          call.has_residual = block.hasResidual
          if block.widens {
            call.widen = p[0]
            if plain { call.widen_bias = p[1] }
          }
          call.activation = block.isLite ? DF_RELU6 : DF_SILU
          if !block.isLite {
            (call.reduce, call.reduce_bias) = (p[2], p[3])
            (call.excite, call.excite_bias) = (p[4], p[5])
          }
          call.project = p[6]
          if plain { call.project_bias = p[7] }
          call.filters = p[8]
          if !plain {
            func norm(_ i: Int) -> df_block_norm {
              df_block_norm(
                groups: block.groups, epsilon: epsilon, scale: p[9 + i], shift: p[12 + i])
            }
            call.norms = (block.widens ? norm(0) : df_block_norm(), norm(1), norm(2))
          }
          let count = df_f32_mbconv_space(&call)
          let space = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 * count, alignment: 64)
          defer { space.deallocate() }
          // What was in the workspace must not matter.
          let floats = space.bindMemory(to: Float.self)
          floats.initialize(repeating: .nan)
          var y = [Float](repeating: .nan, count: output)
          df_f32_mbconv(&call, x, floats.baseAddress, &y)
          return y
        }
      }

      private func withPointers<R>(
        _ arrays: [[Float]], _ pointers: [UnsafePointer<Float>] = [],
        _ body: ([UnsafePointer<Float>]) -> R
      ) -> R {
        guard let first = arrays.first else { return body(pointers) }
        return first.withUnsafeBufferPointer { buffer in
          withPointers(
            Array(arrays.dropFirst()), pointers + (buffer.baseAddress.map { [$0] } ?? []), body)
        }
      }

      var expected: [Double] {
        let plain = block.groups == 0
        let input = x.map(Double.init)
        var maps = input
        if block.widens {
          maps = normalized(widen(maps, hasBias: plain), 0).map(activated)
        }
        maps = normalized(filtered(maps), 1).map(activated)
        let pixels = block.outHeight * block.outWidth, channels = block.channels
        var gated = maps
        for image in 0..<(block.isLite ? 0 : block.batch) {
          let first = image * pixels * channels
          let means = (0..<channels).map { c in
            (0..<pixels).reduce(0) { $0 + maps[first + $1 * channels + c] } / Double(pixels)
          }
          let gates = excite(reduce(means).map(silu)).map { 1 / (1 + exp(-$0)) }
          for i in 0..<pixels * channels { gated[first + i] *= gates[i % channels] }
        }
        let output = normalized(project(gated, hasBias: plain), 2)
        return block.hasResidual ? zip(output, input).map { $0 + $1 } : output
      }

      private func activated(_ x: Double) -> Double {
        block.isLite ? min(max(x, 0), 6) : silu(x)
      }

      private func silu(_ x: Double) -> Double { x / (1 + exp(-x)) }

      private func filtered(_ maps: [Double]) -> [Double] {
        let (kernel, channels) = (block.kernel, block.channels)
        var result: [Double] = []
        for image in 0..<block.batch {
          for oy in 0..<block.outHeight {
            for ox in 0..<block.outWidth {
              for c in 0..<channels {
                var sum = block.groups == 0 ? Double(filterBias[c]) : 0
                for ky in 0..<kernel {
                  for kx in 0..<kernel {
                    let y = oy * block.stride + ky - block.padding
                    let x = ox * block.stride + kx - block.padding
                    guard y >= 0, y < block.height, x >= 0, x < block.width else { continue }
                    let pixel = (image * block.height + y) * block.width + x
                    sum +=
                      maps[pixel * channels + c]
                      * Double(filters[(ky * kernel + kx) * channels + c])
                  }
                }
                result.append(sum)
              }
            }
          }
        }
        return result
      }

      private func normalized(_ maps: [Double], _ norm: Int) -> [Double] {
        guard block.groups > 0 else { return maps }
        let channels = scales[norm].count, pixels = maps.count / channels / block.batch
        let perGroup = channels / block.groups
        var result = maps
        for image in 0..<block.batch {
          for group in 0..<block.groups {
            let places = (0..<pixels).flatMap { pixel in
              (0..<perGroup).map { c in
                (image * pixels + pixel) * channels + group * perGroup + c
              }
            }
            let mean = places.reduce(0) { $0 + maps[$1] } / Double(places.count)
            let variance = places.reduce(0) { $0 + (maps[$1] - mean) * (maps[$1] - mean) }
            let deviation = (variance / Double(places.count) + Double(epsilon)).squareRoot()
            for i in places {
              let c = i % channels
              result[i] =
                (maps[i] - mean) / deviation * Double(scales[norm][c]) + Double(shifts[norm][c])
            }
          }
        }
        return result
      }
    }

    /// Shapes of every way through the block: rows or maps widened at once, strips, gates in
    /// weights or in pixels, the projection by rows or by channels, chunks that are not full.
    static let blocks: [Block] = [
      Block(
        batch: 1, height: 9, width: 7, inputs: 5, channels: 20, squeezed: 3, outputs: 6, kernel: 3,
        stride: 1),
      Block(
        batch: 3, height: 7, width: 7, inputs: 12, channels: 136, squeezed: 9, outputs: 12,
        kernel: 5, stride: 1),
      Block(
        batch: 1, height: 13, width: 14, inputs: 8, channels: 160, squeezed: 4, outputs: 24,
        kernel: 5, stride: 2),
      Block(
        batch: 2, height: 36, width: 34, inputs: 8, channels: 40, squeezed: 4, outputs: 8,
        kernel: 3, stride: 1),
      Block(
        batch: 1, height: 70, width: 41, inputs: 6, channels: 24, squeezed: 2, outputs: 40,
        kernel: 3, stride: 2),
      Block(
        batch: 2, height: 37, width: 23, inputs: 16, channels: 16, squeezed: 4, outputs: 8,
        kernel: 3, stride: 1, widens: false),
      Block(
        batch: 9, height: 7, width: 8, inputs: 6, channels: 72, squeezed: 5, outputs: 6, kernel: 3,
        stride: 1),
      Block(
        batch: 18, height: 3, width: 2, inputs: 4, channels: 32, squeezed: 1, outputs: 4,
        kernel: 5, stride: 1),
    ]

    @Test(arguments: [0, 4], [false, true])
    func everyPathEqualsPlainLoops(_ groups: Int, _ isLite: Bool) {
      forEachInstructionSet { isa in
        var numbers = Numbers(12)
        for var block in Self.blocks {
          block.groups = groups
          block.isLite = isLite
          if groups > 0, block.outputs % groups != 0 || block.channels % groups != 0 {
            block.groups = 2
          }
          let problem = Problem(&numbers, block)
          expectClose(
            problem.computed(), problem.expected, tolerance: 1e-5, "\(isa): \(block.label)")
        }
      }
    }

    @Test(arguments: [0, 2]) func threadsDoNotChangeResults(_ groups: Int) {
      var numbers = Numbers(13)
      for var block in Self.blocks {
        block.groups = groups
        let problem = Problem(&numbers, block)
        expectSameForAnyThreads(block.label) { problem.computed() }
      }
    }
  }
}
