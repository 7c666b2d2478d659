import DeepfakeCore
import FaceDetect
import Foundation
import TestSupport
import Testing

/// What `Tests/Fixtures/make_alignment.py` writes of scikit-image's similarities.
private struct Golden: Decodable {
  struct Case: Decodable {
    var source, target: [Float]
    var map: [Double]
  }

  var similarities: [Case]

  static func load() throws -> Golden {
    try JSONDecoder().decode(
      Golden.self, from: Data(contentsOf: Paths.fixture("alignment.json")))
  }
}

private func points(_ numbers: [Float]) -> [Point] {
  stride(from: 0, to: numbers.count, by: 2).map { Point(x: numbers[$0], y: numbers[$0 + 1]) }
}

@Suite struct SimilarityTransformTests {
  @Test func equalsScikitImages() throws {
    let golden = try Golden.load()
    #expect(golden.similarities.count == 14)
    for item in golden.similarities {
      let found = try #require(
        SimilarityTransform(from: points(item.source), to: points(item.target)))
      let map = found.map
      let numbers = [map.a, map.b, map.c, map.d, map.e, map.f]
      expectClose(numbers.map { Float($0) }, item.map.map { Float($0) }, tolerance: 1e-5)
    }
  }

  @Test func findsTheTransformThatWasApplied() throws {
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<200 {
      let applied = SimilarityTransform(
        scale: Double(0.02 + 5 * generator.uniform()),
        angle: Double(generator.uniform() - 0.5) * 6,
        translationX: Double(generator.normal()) * 300,
        translationY: Double(generator.normal()) * 300)
      let source = (0..<5).map { _ in
        Point(x: generator.uniform() * 1000, y: generator.uniform() * 1000)
      }
      let found = try #require(SimilarityTransform(from: source, to: source.map { applied($0) }))
      #expect(abs(found.scale - applied.scale) < 1e-5 * applied.scale)
      #expect(abs(found.angle - applied.angle) < 1e-4)
      for point in source {
        let (a, b) = (found(point), applied(point))
        #expect(abs(a.x - b.x) < 0.01 && abs(a.y - b.y) < 0.01)
      }
    }
  }

  @Test func neverMirrors() throws {
    let source = FaceAlignment.template
    let mirrored = source.map { Point(x: 112 - $0.x, y: $0.y) }
    if let found = SimilarityTransform(from: source, to: mirrored) {
      #expect(found.map.determinant > 0)
    }
    // A square's mirror image turned: no similarity is better than another.
    let square = [(0, 0), (1, 0), (1, 1), (0, 1)].map { Point(x: $0.0, y: $0.1) }
    let swapped = [(0, 0), (0, 1), (1, 1), (1, 0)].map { Point(x: $0.0, y: $0.1) }
    #expect(SimilarityTransform(from: square, to: swapped) == nil)
  }

  @Test func pointsThatDetermineNothing() {
    let same = [Point](repeating: Point(x: 700.1, y: 300.7), count: 5)
    let template = FaceAlignment.template
    #expect(SimilarityTransform(from: same, to: template) == nil)
    #expect(SimilarityTransform(from: template, to: same) == nil)
    #expect(SimilarityTransform(from: [template[0]], to: [template[1]]) == nil)
    var broken = template
    broken[2].x = .nan
    #expect(SimilarityTransform(from: broken, to: template) == nil)
    broken[2].x = .infinity
    #expect(SimilarityTransform(from: template, to: broken) == nil)
    broken[2].x = .greatestFiniteMagnitude
    if let found = SimilarityTransform(from: broken, to: template) {
      #expect(found.map.isFinite)
    }
  }
}

@Suite struct FaceAlignmentTests {
  /// A face whose landmarks are the template, scaled, turned and moved.
  private func face(scale: Double, angle: Double = 0, x: Double = 0, y: Double = 0) -> Face {
    let move = SimilarityTransform(
      scale: scale, angle: angle, translationX: x, translationY: y)
    let landmarks = FaceAlignment.template.map { move($0) }
    let center = move(Point(x: 56, y: 62))
    let half = Float(scale) * 45
    return Face(
      box: Box(
        x1: center.x - half, y1: center.y - half * 1.3, x2: center.x + half,
        y2: center.y + half * 1.3), score: 0.9, landmarks: landmarks)
  }

  @Test func placesFollowSizeAndMargin() {
    expectClose(
      FaceAlignment().places(side: 112).flatMap { [$0.x, $0.y] },
      FaceAlignment.template.flatMap { [$0.x, $0.y] }, tolerance: 1e-6)
    expectClose(
      FaceAlignment().places(side: 224).flatMap { [$0.x, $0.y] },
      FaceAlignment.template.flatMap { [2 * $0.x, 2 * $0.y] }, tolerance: 1e-6)
    expectClose(
      FaceAlignment(margin: 0.5).places(side: 112).flatMap { [$0.x, $0.y] },
      FaceAlignment.template.flatMap { [($0.x + 56) / 2, ($0.y + 56) / 2] }, tolerance: 1e-6)
  }

  @Test(arguments: [0.25, 1, 2.5, 6])
  func naturalSidesKeepTheFrameScale(_ scale: Double) throws {
    let face = face(scale: scale, angle: 0.4, x: 300, y: 100)
    let side = try #require(FaceAlignment(margin: 0.2).naturalSide(of: face))
    #expect(abs(Double(side) - 112 * 1.4 * scale) <= 1)
    let transform = try #require(
      FaceAlignment(margin: 0.2).transform(face.landmarks, side: side))
    #expect(abs(transform.scale - 1) < 0.02)
    #expect(abs(transform.angle + 0.4) < 1e-4)
  }

  @Test func cropsShowTheLandmarksInTheirPlaces() throws {
    // A frame with a dot at each landmark of a face that is turned and large.
    let face = face(scale: 3, angle: -0.5, x: 60, y: 260)
    var frame = Image(
      width: 640, height: 640, pixels: [UInt8](repeating: 0, count: 640 * 640 * 3))
    for point in face.landmarks {
      let (x, y) = (Int(point.x.rounded()), Int(point.y.rounded()))
      for row in y - 4...y + 4 {
        for column in x - 4...x + 4 { frame[column, row] = (255, 255, 255) }
      }
    }
    for (side, margin) in [(112, Float(0)), (224, 0.25), (500, 0.1)] {
      let alignment = FaceAlignment(margin: margin)
      let crop = try #require(alignment.crop(face, from: frame, side: side))
      #expect(crop.width == side && crop.height == side)
      for place in alignment.places(side: side) {
        #expect(crop[Int(place.x.rounded()), Int(place.y.rounded())].red > 200)
      }
    }
    let natural = try #require(FaceAlignment().crop(face, from: frame))
    #expect(abs(natural.width - 336) <= 1)
  }

  @Test func facesThatCannotBeAligned() {
    let good = face(scale: 2, x: 100, y: 100)
    let frame = Image(width: 8, height: 8, pixels: [UInt8](repeating: 9, count: 192))
    var face = good
    face.landmarks = []
    #expect(FaceAlignment().crop(face, from: frame) == nil)
    face.landmarks = [Point](repeating: Point(x: 5, y: 5), count: 5)
    #expect(FaceAlignment().naturalSide(of: face) == nil)
    // Landmarks that ask for a crop far larger, or smaller, than the face's box.
    face.landmarks = good.landmarks.map { Point(x: $0.x * 50, y: $0.y * 50) }
    #expect(FaceAlignment().naturalSide(of: face) == nil)
    face.landmarks = good.landmarks.map { Point(x: $0.x / 50, y: $0.y / 50) }
    #expect(FaceAlignment().naturalSide(of: face) == nil)
    face.landmarks[0].x = .nan
    #expect(FaceAlignment().naturalSide(of: face) == nil)
    face.landmarks = Array(good.landmarks.prefix(4))
    #expect(FaceAlignment().transform(face.landmarks, side: 112) == nil)
    // Beyond the frame, its edge goes on.
    #expect(FaceAlignment().crop(good, from: frame)?.pixels.allSatisfy { $0 == 9 } == true)
  }
}
