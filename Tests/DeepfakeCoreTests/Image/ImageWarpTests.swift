import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// What `Tests/Fixtures/make_alignment.py` writes of warped pictures.
private struct Golden: Decodable {
  struct Case: Decodable {
    var map: [Double]
    var border, noise: String
    var definition, opencv: [UInt8]

    var affine: AffineMap {
      AffineMap(a: map[0], b: map[1], c: map[2], d: map[3], e: map[4], f: map[5])
    }
    var edges: EdgeFill { border == "black" ? .black : .replicate }
  }

  var warps: [Case]

  static func load() throws -> Golden {
    try JSONDecoder().decode(
      Golden.self, from: Data(contentsOf: Paths.fixture("alignment.json")))
  }
}

@Suite struct ImageWarpTests {
  /// `smooth` of the script.
  private let smooth = Image(width: 47, height: 33) { pixels in
    for y in 0..<33 {
      for x in 0..<47 {
        let (u, v) = (Double(x), Double(y))
        let values = [
          127 + 60 * sin(u / 5) + 60 * cos(v / 7), 127 + 60 * cos(u / 6 + v / 4) + 60 * sin(v / 3),
          20 + u + 1.5 * v,
        ]
        for c in 0..<3 { pixels[(y * 47 + x) * 3 + c] = UInt8(min(max(values[c], 0), 255)) }
      }
    }
  }

  private func worst(_ image: Image, _ expected: [UInt8]) -> Int {
    zip(image.pixels, expected).map { abs(Int($0) - Int($1)) }.max() ?? 255
  }

  @Test func followsTheDefinition() throws {
    let golden = try Golden.load()
    #expect(golden.warps.count == 12)
    for item in golden.warps {
      let values = Formula.uniform(item.noise, count: 37 * 29 * 3)
      let noise = Image(width: 37, height: 29, pixels: values.map { UInt8($0 * 256) })
      let warped = try #require(
        noise.warped(by: item.affine, width: 17, height: 13, edges: item.edges))
      #expect(worst(warped, item.definition) <= 1, "\(item.map)")
    }
  }

  @Test func equalsOpenCVs() throws {
    for item in try Golden.load().warps {
      let warped = try #require(
        smooth.warped(by: item.affine, width: 24, height: 18, edges: item.edges))
      #expect(worst(warped, item.opencv) <= 2, "\(item.map)")
    }
  }

  @Test func theIdentityChangesNothing() throws {
    #expect(smooth.warped(by: AffineMap(), width: 47, height: 33) == smooth)
    let moved = try #require(
      smooth.warped(by: AffineMap(c: 3, f: -2), width: 20, height: 10))
    #expect(moved == smooth.cropped(x: -3, y: 2, width: 20, height: 10))
  }

  @Test func shrinkingDoesNotAlias() throws {
    // Stripes of one pixel: their mean at any smaller size, where single samples would hit one or
    // the other.
    let stripes = Image(
      width: 400, height: 400,
      pixels: (0..<400 * 400).flatMap { [UInt8](repeating: $0 % 2 == 0 ? 255 : 0, count: 3) })
    for scale in [0.55, 0.4, 0.251, 0.1, 0.04] {
      let side = Int(400 * scale) - 2
      let turned = AffineMap(a: scale, c: -1, e: scale, f: -1)
      let small = try #require(stripes.warped(by: turned, width: side, height: side))
      let inner = small.cropped(x: 1, y: 1, width: side - 2, height: side - 2)
      for value in inner.pixels { #expect(abs(Int(value) - 127) <= 40, "\(scale)") }
      if scale <= 0.25 {
        for value in inner.pixels { #expect(abs(Int(value) - 127) <= 16, "\(scale)") }
      }
    }
  }

  @Test func extremeMapsAreAnswered() throws {
    for map in [
      AffineMap(a: 1e-9, e: 1e-9), AffineMap(a: 1e12, e: 1e12), AffineMap(c: 1e300, f: -1e300),
      AffineMap(a: 1e-3, e: 1),
    ] {
      for edges in [EdgeFill.black, .replicate] {
        let warped = try #require(smooth.warped(by: map, width: 5, height: 4, edges: edges))
        #expect(warped.width == 5 && warped.height == 4)
      }
    }
    let corner = try #require(
      smooth.warped(by: AffineMap(c: 1e9, f: 1e9), width: 2, height: 2, edges: .replicate))
    #expect(corner[1, 1] == smooth[0, 0])
    let outside = try #require(
      smooth.warped(by: AffineMap(c: 1e9, f: 1e9), width: 2, height: 2, edges: .black))
    #expect(outside.pixels.allSatisfy { $0 == 0 })
  }

  @Test func flatMapsHaveNoPicture() {
    for map in [
      AffineMap(a: 0, e: 0), AffineMap(a: 1, b: 2, d: 2, e: 4), AffineMap(a: .nan),
      AffineMap(c: .infinity), AffineMap(a: 1e-200, e: 1e-200),
    ] {
      #expect(map.inverse == nil)
      #expect(smooth.warped(by: map, width: 3, height: 3) == nil)
    }
  }

  @Test func inversesUndo() throws {
    let map = AffineMap(a: 1.5, b: -0.3, c: 20, d: 0.2, e: 0.8, f: -7)
    let back = try #require(map.inverse)
    let there = map(x: 12, y: 34)
    let again = back(x: there.x, y: there.y)
    #expect(abs(again.x - 12) < 1e-12 && abs(again.y - 34) < 1e-12)
    #expect(abs(AffineMap(a: 0, b: -3, d: 2, e: 0).largestStretch - 3) < 1e-12)
    #expect(abs(AffineMap(a: 1, b: 1, d: 0, e: 1).largestStretch - 1.618033988749895) < 1e-12)
  }
}
