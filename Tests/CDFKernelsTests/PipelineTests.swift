import CDFKernels
import Testing

extension KernelTests {
  /// Pipelines against plain loops: area resizing, convolutions with PReLU, max pools in ceiling
  /// mode.
  @Suite struct Pipeline {
    struct Layer {
      var kernel, stride, inputs, outputs: Int
      /// [kernel][kernel][inputs][outputs]; nil for a pool.
      var weights, bias, slopes: [Float]?
    }

    struct Map {
      var height, width, channels: Int
      var values: [Double]

      func value(_ y: Int, _ x: Int, _ c: Int) -> Double { values[(y * width + x) * channels + c] }

      init(height: Int, width: Int, channels: Int, _ value: (Int, Int, Int) -> Double) {
        (self.height, self.width, self.channels) = (height, width, channels)
        values = []
        for y in 0..<height {
          for x in 0..<width {
            for c in 0..<channels { values.append(value(y, x, c)) }
          }
        }
      }
    }

    /// A window of a frame and the layers that it goes through.
    struct Problem {
      var pitch, height, width, toHeight, toWidth: Int
      var bytes: [UInt8]
      var layers: [Layer]

      init(
        _ numbers: inout Numbers, height: Int, width: Int, toHeight: Int, toWidth: Int,
        layers: [(kernel: Int, stride: Int, outputs: Int?)]
      ) {
        (self.height, self.width, self.toHeight, self.toWidth) = (height, width, toHeight, toWidth)
        pitch = width * 3 + numbers.integer(0...9)
        bytes = (0..<pitch * height).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
        var channels = 3
        self.layers = layers.map { layer in
          let inputs = channels
          channels = layer.outputs ?? inputs
          let count = layer.kernel * layer.kernel * inputs * channels
          let isPool = layer.outputs == nil
          let isActive = numbers.flip()
          return Layer(
            kernel: layer.kernel, stride: layer.stride, inputs: inputs, outputs: channels,
            weights: isPool
              ? nil : numbers.floats(count).map { $0 * (6 / Float(count / channels)).squareRoot() },
            bias: isPool || numbers.flip() ? nil : numbers.floats(channels),
            slopes: isPool || !isActive ? nil : numbers.floats(channels))
        }
      }

      var resized: Map {
        func bin(_ i: Int, _ from: Int, _ to: Int) -> Range<Int> {
          i * from / to..<((i + 1) * from + to - 1) / to
        }
        return Map(height: toHeight, width: toWidth, channels: 3) { y, x, c in
          let (rows, columns) = (bin(y, height, toHeight), bin(x, width, toWidth))
          let sum = rows.reduce(0) { sum, row in
            columns.reduce(sum) { $0 + Int(bytes[row * pitch + $1 * 3 + c]) }
          }
          return (Double(sum) / Double(rows.count * columns.count) - 127.5) / 128
        }
      }

      var expected: Map {
        layers.reduce(resized) { map, layer in
          layer.weights.map { convolved(map, layer, $0) } ?? pooled(map, layer)
        }
      }

      private func convolved(_ map: Map, _ layer: Layer, _ weights: [Float]) -> Map {
        func extent(_ e: Int) -> Int { (e - layer.kernel) / layer.stride + 1 }
        return Map(
          height: extent(map.height), width: extent(map.width), channels: layer.outputs
        ) { y, x, o in
          var sum = Double(layer.bias?[o] ?? 0)
          for ky in 0..<layer.kernel {
            for kx in 0..<layer.kernel {
              for i in 0..<layer.inputs {
                let weight = weights[
                  ((ky * layer.kernel + kx) * layer.inputs + i) * layer.outputs + o]
                sum += map.value(y * layer.stride + ky, x * layer.stride + kx, i) * Double(weight)
              }
            }
          }
          return sum < 0 ? sum * Double(layer.slopes?[o] ?? 1) : sum
        }
      }

      private func pooled(_ map: Map, _ layer: Layer) -> Map {
        func extent(_ e: Int) -> Int {
          let count = (max(0, e - layer.kernel) + layer.stride - 1) / layer.stride + 1
          return (count - 1) * layer.stride >= e ? count - 1 : count
        }
        return Map(
          height: extent(map.height), width: extent(map.width), channels: map.channels
        ) { y, x, c in
          let rows = y * layer.stride..<min(map.height, y * layer.stride + layer.kernel)
          let columns = x * layer.stride..<min(map.width, x * layer.stride + layer.kernel)
          return rows.flatMap { row in columns.map { map.value(row, $0, c) } }.max() ?? .nan
        }
      }

      /// The output, cut into jobs of so many rows and columns.
      func computed(rows: Int = .max, columns: Int = .max) -> [Float] {
        let packed = layers.map { layer in
          layer.weights.map { weights in
            let terms = layer.kernel * layer.kernel * layer.inputs
            var packed = [Float](
              repeating: .nan, count: df_f32_packed_count(terms, layer.outputs))
            df_f32_pack(terms, layer.outputs, weights, layer.outputs, &packed)
            return packed
          }
        }
        return withPointers(packed + layers.map(\.bias) + layers.map(\.slopes)) { pointers in
          let kernels = layers.indices.map { i in
            df_pipeline_layer(
              kernel: layers[i].kernel, stride: layers[i].stride, in_channels: layers[i].inputs,
              out_channels: layers[i].outputs, packed: pointers[i],
              bias: pointers[i + layers.count], slopes: pointers[i + 2 * layers.count])
          }
          return kernels.withUnsafeBufferPointer { kernels in
            var pipeline = df_pipeline(
              layers: kernels.baseAddress, count: kernels.count, mean: 127.5, scale: 1.0 / 128)
            return run(&pipeline, rows: rows, columns: columns)
          }
        }
      }

      private func run(_ pipeline: inout df_pipeline, rows: Int, columns: Int) -> [Float] {
        let outHeight = df_pipeline_extent(&pipeline, toHeight)
        let outWidth = df_pipeline_extent(&pipeline, toWidth)
        let channels = layers.last?.outputs ?? 3
        // What lies behind the output must stay.
        var y = [Float](repeating: .nan, count: outHeight * outWidth * channels + 20)
        y.withUnsafeMutableBufferPointer { y in
          bytes.withUnsafeBufferPointer { bytes in
            var jobs: [df_pipeline_job] = []
            for top in stride(from: 0, to: outHeight, by: min(rows, outHeight)) {
              for left in stride(from: 0, to: outWidth, by: min(columns, outWidth)) {
                jobs.append(
                  df_pipeline_job(
                    x: bytes.baseAddress, x_stride: pitch, height: height, width: width,
                    to_height: toHeight, to_width: toWidth, first_row: top,
                    rows: min(rows, outHeight - top), first_column: left,
                    columns: min(columns, outWidth - left),
                    y: y.baseAddress?.advanced(by: (top * outWidth + left) * channels),
                    y_stride: outWidth * channels))
              }
            }
            df_u8_run_pipeline(&pipeline, jobs, jobs.count)
          }
        }
        let behind = y.suffix(20).filter(\.isNaN).count
        #expect(behind == 20)
        return y.dropLast(20)
      }

      private func withPointers<R>(
        _ arrays: [[Float]?], _ found: [UnsafePointer<Float>?] = [],
        _ body: ([UnsafePointer<Float>?]) -> R
      ) -> R {
        guard let first = arrays.first else { return body(found) }
        let rest = Array(arrays.dropFirst())
        guard let first else { return withPointers(rest, found + [nil], body) }
        return first.withUnsafeBufferPointer {
          withPointers(rest, found + [$0.baseAddress], body)
        }
      }
    }

    /// The chains of MTCNN's networks and others, with channels that fill vectors and that do not.
    static let chains: [[(kernel: Int, stride: Int, outputs: Int?)]] = [
      [(3, 1, 10), (2, 2, nil), (3, 1, 16), (3, 1, 32), (1, 1, 6)],
      [(3, 1, 28), (3, 2, nil), (3, 1, 48), (3, 2, nil)],
      [(1, 1, 1)], [(2, 2, nil)], [(5, 2, 7), (3, 3, nil), (2, 1, 3)],
      [(3, 2, nil), (3, 1, 33), (2, 1, 5)],
    ]

    @Test func chainsOfLayers() {
      forEachInstructionSet { isa in
        var numbers = Numbers(1)
        for chain in Pipeline.chains {
          for _ in 0..<6 {
            let problem = Problem(
              &numbers, height: numbers.integer(1...60), width: numbers.integer(1...60),
              toHeight: numbers.integer(12...50), toWidth: numbers.integer(12...50), layers: chain)
            let expected = problem.expected
            expectClose(
              problem.computed(), expected.values, tolerance: 2e-5,
              "\(isa) \(chain) \(expected.width)x\(expected.height)")
          }
        }
      }
    }

    @Test func partsEqualTheWhole() {
      forEachInstructionSet { isa in
        var numbers = Numbers(2)
        for chain in Pipeline.chains {
          let problem = Problem(
            &numbers, height: 77, width: 59, toHeight: 43, toWidth: 51, layers: chain)
          let whole = problem.computed()
          for (rows, columns) in [(1, 1), (3, 100), (100, 4), (5, 7)] {
            let parts = problem.computed(rows: rows, columns: columns)
            let isSame = parts == whole
            #expect(isSame, "\(isa) \(chain) in \(rows) x \(columns)")
          }
        }
      }
    }

    @Test func threadsDoNotChangeResults() {
      var numbers = Numbers(3)
      let problem = Problem(
        &numbers, height: 90, width: 120, toHeight: 70, toWidth: 60, layers: Pipeline.chains[0])
      expectSameForAnyThreads("pipeline") { problem.computed(rows: 4, columns: 9) }
    }

    /// Bins from one pixel to thousands, of white: sums of bytes must not overflow, and white stays
    /// white.
    @Test(arguments: [(1, 1), (3, 700), (700, 700)])
    func largeBins(height: Int, width: Int) {
      forEachInstructionSet { isa in
        var numbers = Numbers(4)
        var problem = Problem(
          &numbers, height: height, width: width, toHeight: 2, toWidth: 2, layers: [(1, 1, nil)])
        problem.bytes = problem.bytes.map { _ in 255 }
        let white = problem.computed()
        let isWhite = white.allSatisfy { $0 == 127.5 / 128 }
        #expect(isWhite, "\(isa)")
      }
    }
  }
}
