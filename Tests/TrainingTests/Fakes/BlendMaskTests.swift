import DeepfakeCore
import FaceDetect
import Foundation
import TestSupport
import Testing
import Training

/// Values of another implementation, see `make_blend.py`.
private struct Golden: Decodable {
  struct Blur: Decodable {
    var sigma: Float
    var values: [Float]
  }
  struct Hull: Decodable {
    var points: [Double]
    var hull: [Double]
  }
  var width: Int
  var height: Int
  var blurred: [Blur]
  var hulls: [Hull]
  var polygon: [Float]
  var filled: [Float]

  static func read() throws -> Golden {
    try JSONDecoder().decode(
      Golden.self, from: Data(contentsOf: Paths.fixture("blend.json")))
  }
}

@Suite struct BlendMaskTests {
  private func pairs(_ numbers: [Double]) -> [SIMD2<Double>] {
    stride(from: 0, to: numbers.count, by: 2).map { SIMD2(numbers[$0], numbers[$0 + 1]) }
  }

  @Test func blursAsSciPyDoes() throws {
    let golden = try Golden.read()
    let values = Formula.uniform("blend", count: golden.width * golden.height).map { Float($0) }
    for blur in golden.blurred {
      var map = FloatMap(width: golden.width, height: golden.height, values: values)
      map.blur(sigma: blur.sigma)
      expectClose(map.values, blur.values, tolerance: 2e-6, "sigma \(blur.sigma)")
    }
  }

  @Test func fillsPolygonsByTheEvenOddRule() throws {
    let golden = try Golden.read()
    let map = FloatMap(width: golden.width, height: golden.height, filling: golden.polygon)
    // The fixture counts two hundred points a pixel.
    expectClose(map.values, golden.filled, tolerance: 0.011)
    #expect(FloatMap(width: 3, height: 2, filling: [0, 0, 9, 9]).values.allSatisfy { $0 == 0 })
  }

  @Test func findsSciPysHulls() throws {
    for hull in try Golden.read().hulls {
      let found = FaceOutline.convexHull(pairs(hull.points))
      let expected = pairs(hull.hull)
      #expect(found.count == expected.count)
      #expect(found.allSatisfy(expected.contains))
      // In order: every corner is followed by the one that SciPy has next, or before.
      for (index, corner) in found.enumerated() {
        let next = found[(index + 1) % found.count]
        let place = try #require(expected.firstIndex(of: corner))
        let after = expected[(place + 1) % expected.count]
        let before = expected[(place + expected.count - 1) % expected.count]
        #expect(next == after || next == before)
      }
    }
    #expect(FaceOutline.convexHull([[1, 1], [1, 1], [1, 1]]).count <= 3)
  }

  @Test(arguments: BlendedPart.allCases) func coversThePart(_ part: BlendedPart) throws {
    let frame = try #require(FaceFrame(facePoints(), width: 96, height: 96))
    let outline = FaceOutline(part, of: frame)
    let mask = BlendMask(
      outline, bentBy: .still, rounding: 1, level: 0.5, softness: 0.7, width: 96, height: 96)
    func value(_ point: Point) -> Float { mask.values[Int(point.y) * 96 + Int(point.x)] }
    let points = facePoints()
    for point in points.dropFirst(2) { #expect(value(point) > 0.9) }
    for eye in points.prefix(2) { #expect(part == .lower ? value(eye) < 0.1 : value(eye) > 0.9) }
    let forehead = frame.point(0, -0.8)
    let onForehead = value(Point(x: Float(forehead.x), y: Float(forehead.y)))
    #expect(part == .face ? onForehead > 0.9 : onForehead < 0.1)
    let chin = frame.point(0, 1.45)
    let onChin = value(Point(x: Float(chin.x), y: Float(chin.y)))
    #expect(part == .features ? onChin < 0.1 : onChin > 0.9)
    // Nothing at the crop's corners.
    for corner in [0, 95, 95 * 96, 96 * 96 - 1] { #expect(mask.values[corner] == 0) }
    #expect(mask.values.allSatisfy { (0...1).contains($0) })
  }

  @Test(arguments: BlendedPart.allCases) func turnsAndMirrorsWithTheFace(
    _ part: BlendedPart
  ) throws {
    // A face that looks aside.
    let points = facePoints().map { Point(x: $0.x + ($0.y - 40) * 0.2, y: $0.y) }
    let turned = [points[0], points[1], Point(x: points[2].x + 8, y: points[2].y)] + points[3...]
    let outline = FaceOutline(
      part, of: try #require(FaceFrame(turned, width: 96, height: 96))
    ).points
    let mirror = turned.map { Point(x: 95 - $0.x, y: $0.y) }
    let mirrored = FaceOutline(
      part,
      of: try #require(
        FaceFrame([1, 0, 2, 4, 3].map { mirror[$0] }, width: 96, height: 96))
    ).points
    for corner in outline {
      #expect(
        mirrored.contains {
          abs($0.x - (95 - corner.x)) < 1e-4 && abs($0.y - corner.y) < 1e-4
        })
    }
    let turn = SimilarityTransform(scale: 1.5, angle: 0.8, translationX: 30, translationY: 10)
    let rotated = FaceOutline(
      part, of: try #require(FaceFrame(turned.map { turn($0) }, width: 240, height: 240))
    ).points
    for (corner, found) in zip(outline, rotated) {
      let expected = turn(Point(x: Float(corner.x), y: Float(corner.y)))
      #expect(abs(Double(expected.x) - found.x) < 1e-3)
      #expect(abs(Double(expected.y) - found.y) < 1e-3)
    }
  }

  @Test func bendsPicturesAsItBendsPlaces() {
    var generator = SeededGenerator(seed: 4)
    let lattice = ElasticLattice(deviation: 6, using: &generator)
    // Red tells the column, green the row.
    let image = Image(width: 120, height: 90) { pixels in
      for y in 0..<90 {
        for x in 0..<120 {
          pixels[(y * 120 + x) * 3] = UInt8(2 * x)
          pixels[(y * 120 + x) * 3 + 1] = UInt8(2 * y)
          pixels[(y * 120 + x) * 3 + 2] = 0
        }
      }
    }
    let bent = image.warped(by: AffineMap(c: 3, f: -2), lattice, width: 120, height: 90)
    var largest = 0.0
    for (x, y) in [(30, 30), (60, 45), (88, 71), (45, 22), (70, 60)] {
      let moved = lattice.displacement(at: [Double(x), Double(y)], width: 120, height: 90)
      largest = max(largest, abs(moved.x), abs(moved.y))
      let found = bent[x, y]
      #expect(abs(Double(found.red) - 2 * (Double(x) + moved.x + 3)) < 0.51)
      #expect(abs(Double(found.green) - 2 * (Double(y) + moved.y - 2)) < 0.51)
    }
    #expect(largest > 1)
    #expect(image.warped(by: AffineMap(), .still, width: 120, height: 90) == image)
  }
}
