import CDFKernels
import Testing

extension KernelTests {
  @Suite struct Resize {
    /// The weights of the sources of one output along an axis.
    private func taps(_ i: Int, from size: Int, to out: Int, _ method: df_resample) -> [Int: Double]
    {
      let step = Double(size) / Double(out)
      if method == DF_NEAREST { return [min(size - 1, Int(Double(i) * step)): 1] }
      if method == DF_AREA && size > out {
        var weights: [Int: Double] = [:]
        for s in 0..<size {
          let overlap = min(Double(i + 1) * step, Double(s + 1)) - max(Double(i) * step, Double(s))
          if overlap > 0 { weights[s] = overlap / step }
        }
        return weights
      }
      let centre = max(0, (Double(i) + 0.5) * step - 0.5)
      let left = min(size - 1, Int(centre))
      let right = min(size - 1, left + 1)
      var weights = [left: 1 - (centre - Double(left))]
      weights[right, default: 0] += centre - Double(left)
      return weights
    }

    private func expected(
      _ x: (Int, Int, Int) -> Double, height: Int, width: Int, channels: Int, to outHeight: Int,
      _ outWidth: Int, _ method: df_resample
    ) -> [Double] {
      var y: [Double] = []
      for oy in 0..<outHeight {
        let rows = taps(oy, from: height, to: outHeight, method)
        for ox in 0..<outWidth {
          let columns = taps(ox, from: width, to: outWidth, method)
          for c in 0..<channels {
            var sum = 0.0
            for (row, a) in rows { for (column, b) in columns { sum += a * b * x(row, column, c) } }
            y.append(sum)
          }
        }
      }
      return y
    }

    @Test(arguments: [DF_NEAREST, DF_BILINEAR, DF_AREA])
    func anySize(method: df_resample) {
      var numbers = Numbers(51)
      for _ in 0..<60 {
        let (height, width) = (numbers.integer(1...40), numbers.integer(1...40))
        let (outHeight, outWidth) = (numbers.integer(1...40), numbers.integer(1...40))
        let channels = numbers.integer(1...4)
        let stride = width * channels + numbers.integer(0...7)
        let label = "\(height)x\(width)x\(channels) to \(outHeight)x\(outWidth)"

        let floats = numbers.floats(height * stride)
        var y = [Float](repeating: .nan, count: outHeight * outWidth * channels)
        #expect(
          df_f32_resize(
            height, width, channels, floats, stride, outHeight, outWidth, &y, method))
        let exact = expected(
          { Double(floats[$0 * stride + $1 * channels + $2]) }, height: height, width: width,
          channels: channels, to: outHeight, outWidth, method)
        expectClose(y, exact, tolerance: 3e-6, label)

        let bytes = (0..<height * stride).map { _ in UInt8(numbers.integer(0...255)) }
        var z = [UInt8](repeating: 7, count: y.count)
        #expect(
          df_u8_resize(height, width, channels, bytes, stride, outHeight, outWidth, &z, method))
        let levels = expected(
          { Double(bytes[$0 * stride + $1 * channels + $2]) }, height: height, width: width,
          channels: channels, to: outHeight, outWidth, method)
        // Half a level, and what Float32 may move a value across a boundary.
        expectClose(z.map(Float.init), levels, tolerance: 0.5 + 1e-4, label)
      }
    }

    @Test func roundsHalfToEven() {
      let x: [UInt8] = [0, 1, 2, 3, 250, 251, 254, 255]
      var y = [UInt8](repeating: 7, count: 4)
      #expect(df_u8_resize(1, 8, 1, x, 8, 1, 4, &y, DF_AREA))
      #expect(y == [0, 2, 250, 254])
    }

    /// OpenCV rounds (a + b + c + d) / 4 half up, and all other averages half to even.
    @Test func halfTheSizeRoundsHalfUp() {
      let x: [UInt8] = [0, 0, 1, 1, 4, 5, 254, 255, 1, 1, 1, 0, 5, 5, 254, 255]
      var y = [UInt8](repeating: 7, count: 4)
      #expect(df_u8_resize(2, 8, 1, x, 8, 1, 4, &y, DF_AREA))
      #expect(y == [1, 1, 5, 255])
      #expect(df_u8_resize(4, 4, 1, x, 4, 2, 2, &y, DF_AREA))
      #expect(y == [2, 128, 3, 128])
    }

    /// 15 / 6 is a half, which Float32 weights of a third would miss.
    @Test func wholeFactorsRoundExactHalvesToEven() {
      for (sum, expected) in [(3, 0), (9, 2), (15, 2), (21, 4), (27, 4), (33, 6), (1527, 254)] {
        let x = (0..<6).map { UInt8(sum / 6 + ($0 < sum % 6 ? 1 : 0)) }
        var y: [UInt8] = [7]
        #expect(df_u8_resize(2, 3, 1, x, 3, 1, 1, &y, DF_AREA))
        #expect(y == [UInt8(expected)], "\(sum)")
      }
    }

    @Test func sameSizeIsACopy() {
      var numbers = Numbers(52)
      let x = (0..<7 * 9 * 3).map { _ in UInt8(numbers.integer(0...255)) }
      for method in [DF_NEAREST, DF_BILINEAR, DF_AREA] {
        var y = [UInt8](repeating: 7, count: x.count)
        #expect(df_u8_resize(7, 9, 3, x, 27, 7, 9, &y, method))
        #expect(x == y)
      }
    }

    @Test func nothingToReadIsRefused() {
      var y = [UInt8](repeating: 7, count: 4)
      #expect(!df_u8_resize(0, 8, 1, [], 8, 2, 2, &y, DF_BILINEAR))
      #expect(df_u8_resize(2, 2, 1, [1, 2, 3, 4], 2, 0, 2, &y, DF_BILINEAR))
      #expect(y == [7, 7, 7, 7])
    }
  }
}
