import DeepfakeCore
import FaceDetect
import TestSupport
import Testing

@Suite struct NonMaximumSuppressionTests {
  private func face(_ x: Float, _ y: Float, _ side: Float, _ score: Float) -> Face {
    Face(box: Box(x1: x, y1: y, x2: x + side, y2: y + side), score: score)
  }

  private let suppression = NonMaximumSuppression(threshold: 0.4, extent: .inclusive)

  @Test func theSurerOfTwoStays() {
    let (weak, strong, apart) = (face(0, 0, 20, 0.6), face(2, 1, 20, 0.9), face(80, 0, 20, 0.7))
    #expect(suppression([weak, strong, apart]) == [strong, apart])
    #expect(suppression([]) == [])
  }

  @Test func aDroppedFaceDropsNoOther() {
    // b overlaps a and c; a and c hardly overlap. a drops b, so c stays.
    let (a, b, c) = (face(0, 0, 20, 0.9), face(6, 0, 20, 0.8), face(12, 0, 20, 0.7))
    #expect(suppression([c, b, a]) == [a, c])
  }

  @Test func tiesKeepTheirOrder() {
    let (first, second) = (face(0, 0, 20, 0.8), face(1, 1, 20, 0.8))
    #expect(suppression([first, second]) == [first])
    #expect(suppression([second, first]) == [second])
    let many = (0..<200).map { face(Float($0) * 50, 0, 20, $0 % 2 == 0 ? 0.75 : 0.5) }
    let even = many.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
    let odd = many.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
    #expect(suppression(many) == even + odd)
  }

  @Test func extentsDiffer() {
    // 4 x 4 boxes a step of 2 apart: continuous 8 of 24; with corners as pixels 15 of 35.
    let pair = [face(0, 0, 4, 0.9), face(2, 0, 4, 0.8)]
    #expect(NonMaximumSuppression(threshold: 0.4, extent: .continuous)(pair).count == 2)
    #expect(NonMaximumSuppression(threshold: 0.4, extent: .inclusive)(pair).count == 1)
  }

  @Test func theThresholdItselfStays() {
    // 8 pixels wide and a step of 4 apart: one third.
    let pair = [face(0, 0, 8, 0.9), face(4, 0, 8, 0.8)]
    let third: Float = 1 / 3
    #expect(NonMaximumSuppression(threshold: third, extent: .continuous)(pair).count == 2)
    #expect(NonMaximumSuppression(threshold: third - 1e-3, extent: .continuous)(pair).count == 1)
  }

  @Test func degenerateAndInvalidFaces() {
    let point = face(5, 5, 0, 0.9)
    let invalid = [
      face(.nan, 0, 10, 0.99), face(0, .infinity, 10, 0.98), face(0, 0, 10, .nan),
    ]
    #expect(suppression(invalid + [point]) == [point])
    let insideOut = Face(box: Box(x1: 30, y1: 30, x2: 10, y2: 10), score: 0.95)
    #expect(suppression([insideOut, point]) == [insideOut, point])
    let continuous = NonMaximumSuppression(threshold: 0.4, extent: .continuous)
    #expect(continuous([point, point]) == [point, point])
  }

  @Test func agreesWithTheReference() throws {
    for golden in try DetectorGolden.load().suppression {
      let faces = zip(golden.boxes, golden.scores).map { box, score in
        Face(box: Box(x1: box[0], y1: box[1], x2: box[2], y2: box[3]), score: score)
      }
      let kept = NonMaximumSuppression(threshold: golden.threshold, extent: .inclusive)(faces)
      #expect(kept == golden.kept.map { faces[$0] })
    }
  }
}
