import CDFKernels
import Testing

extension KernelTests {
  @Suite struct Fingerprints {
    @Test func dotsOfBytes() {
      var numbers = Numbers(71)
      for _ in 0..<50 {
        let (rows, count) = (numbers.integer(1...9), numbers.integer(1...300))
        func bytes(_ count: Int) -> [Int8] {
          (0..<count).map { _ in Int8(truncatingIfNeeded: numbers.integer(-128...127)) }
        }
        let (x, y) = (bytes(rows * count), bytes(count))
        let expected = (0..<rows).map { row -> Int32 in
          var sum: Int32 = 0
          for place in 0..<count { sum += Int32(x[row * count + place]) * Int32(y[place]) }
          return sum
        }
        forEachInstructionSet { isa in
          var sums = [Int32](repeating: -1, count: rows)
          df_i8_dots(rows, count, x, y, &sums)
          #expect(sums == expected, "\(isa): \(rows)x\(count)")
        }
      }
    }

    /// Soft blobs in a square.
    private func picture(_ side: Int, seed: Int) -> [Float] {
      struct Blob {
        var x, y, extent, height: Float
      }
      var numbers = Numbers(UInt64(seed))
      let blobs = (0..<14).map { _ -> Blob in
        let x = Float(numbers.integer(8...55))
        let y = Float(numbers.integer(8...55))
        return Blob(
          x: x, y: y, extent: Float(numbers.integer(2...7)),
          height: Float(numbers.integer(-90...90)))
      }
      let step = 64 / Float(side)
      return (0..<side * side).map { place -> Float in
        let x = Float(place % side) * step
        let y = Float(place / side) * step
        var value: Float = 120
        for blob in blobs {
          let (a, b) = ((x - blob.x) / blob.extent, (y - blob.y) / blob.extent)
          let far = a * a + b * b
          value += blob.height / (1 + far * far)
        }
        return value
      }
    }

    private func points(_ grey: [Float], most: Int = 8) -> [df_keypoint] {
      var points = [df_keypoint](repeating: df_keypoint(), count: most)
      let count = df_f32_keypoints(grey, most, &points)
      #expect(count <= most)
      return Array(points.prefix(count))
    }

    @Test func pointsOfTheMirrorImage() {
      let side = Int(DF_KEYPOINT_SIDE)
      for seed in 1...6 {
        let grey = picture(side, seed: seed)
        let mirrored = grey.indices.map { grey[$0 / side * side + side - 1 - $0 % side] }
        let (found, others) = (points(grey), points(mirrored))
        #expect(found.count >= 3 && found.count == others.count)
        for (a, b) in zip(found, others) {
          #expect(abs(a.x - (Float(side - 1) - b.x)) < 0.02 && abs(a.y - b.y) < 0.02)
          #expect(abs(a.scale / b.scale - 1) < 0.01)
          // The constant's sign says nothing; frequencies near zero may fall either way.
          #expect((a.code ^ b.code ^ 0x5555_5555_5555_5555).nonzeroBitCount <= 3)
        }
        #expect(zip(found, found.dropFirst()).allSatisfy { $0.strength >= $1.strength })
      }
    }

    @Test func noPointsInAFlatPicture() {
      let side = Int(DF_KEYPOINT_SIDE)
      #expect(points(Array(repeating: 17, count: side * side)).isEmpty)
      #expect(points((0..<side * side).map { Float($0 % side) }).isEmpty)
      #expect(points(picture(side, seed: 3), most: 1).count == 1)
    }

    @Test func correlationWherePlaced() {
      let side = 20
      let one = picture(side, seed: 9).map { UInt8(max(0, min(255, $0))) }
      func correlation(
        _ other: [UInt8], scale: Float = 1, right: Float = 0, down: Float = 0,
        mirrored: Bool = false, detail: Bool = false
      ) -> Float {
        df_u8_placed_correlation(
          side, one, other,
          df_placement(scale: scale, right: right, down: down, mirrored: mirrored), 0.4, detail)
      }
      let mirrored = one.indices.map { one[$0 / side * side + side - 1 - $0 % side] }
      let dimmed = one.map { UInt8(Float($0) * 0.5 + 40) }
      // Moved by three to the right and one up: what lies there begins three columns further on.
      let moved = one.indices.map { place -> UInt8 in
        let (x, y) = (place % side + 3, place / side - 1)
        return (0..<side).contains(x) && (0..<side).contains(y) ? one[y * side + x] : 0
      }
      for detail in [false, true] {
        #expect(correlation(one, detail: detail) > 0.9999)
        #expect(correlation(dimmed, detail: detail) > 0.99)
        #expect(correlation(one.map { 255 - $0 }, detail: detail) < -0.9999)
        #expect(correlation(mirrored, detail: detail) < 0.9)
        #expect(correlation(mirrored, mirrored: true, detail: detail) > 0.9999)
        #expect(correlation(moved, right: 3, down: -1, detail: detail) > 0.9999)
      }
      // Too little in common, nothing to see.
      #expect(correlation(one, right: 15) == -1)
      #expect(correlation(one, scale: 100) == -1 && correlation(one, scale: .nan) == -1)
      #expect(correlation(Array(repeating: 90, count: side * side)) == -1)
    }
  }
}
