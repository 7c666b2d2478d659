import DeepfakeCore
import FaceDetect
import Testing

@Suite struct BoxTests {
  @Test func overlapOfKnownBoxes() {
    let box = Box(x1: 0, y1: 0, x2: 10, y2: 20)
    #expect(box.intersectionOverUnion(with: box) == 1)
    #expect(box.intersectionOverUnion(with: Box(x1: 10, y1: 0, x2: 20, y2: 20)) == 0)
    #expect(box.intersectionOverUnion(with: Box(x1: 30, y1: 30, x2: 40, y2: 40)) == 0)
    // A quarter of one in the other: 50 of 200 + 200 - 50.
    let shifted = Box(x1: 5, y1: 10, x2: 15, y2: 30)
    #expect(abs(box.intersectionOverUnion(with: shifted) - 50 / 350) < 1e-6)
  }

  @Test func overlapOfEmptyBoxesIsZero() {
    let point = Box(x1: 3, y1: 3, x2: 3, y2: 3)
    let insideOut = Box(x1: 5, y1: 5, x2: 1, y2: 1)
    #expect(point.intersectionOverUnion(with: point) == 0)
    #expect(insideOut.area == 0)
    #expect(insideOut.intersectionOverUnion(with: Box(x1: 0, y1: 0, x2: 9, y2: 9)) == 0)
  }

  @Test func overlapIsSymmetricAndBounded() {
    var generator = SeededGenerator(seed: 7)
    for _ in 0..<500 {
      let (a, b) = (Box.random(using: &generator), Box.random(using: &generator))
      let overlap = a.intersectionOverUnion(with: b)
      #expect(overlap == b.intersectionOverUnion(with: a))
      #expect(overlap >= 0 && overlap <= 1)
      let scaled = a.scaled(x: 3, y: 0.5).intersectionOverUnion(with: b.scaled(x: 3, y: 0.5))
      #expect(abs(scaled - overlap) < 1e-4)
    }
  }

  @Test func clippingKeepsWhatIsInside() {
    let box = Box(x1: -5, y1: 4, x2: 50, y2: 200).clipped(width: 40, height: 100)
    #expect(box == Box(x1: 0, y1: 4, x2: 40, y2: 100))
    let outside = Box(x1: -50, y1: -50, x2: -10, y2: -20).clipped(width: 40, height: 100)
    #expect(outside.area == 0)
  }

  @Test func squareCropSurroundsTheBox() {
    let box = Box(x1: 100, y1: 40, x2: 120, y2: 80)
    #expect(box.squareCrop(margin: 0) == PixelRectangle(x: 90, y: 40, width: 40, height: 40))
    #expect(box.squareCrop(margin: 0.25) == PixelRectangle(x: 80, y: 30, width: 60, height: 60))
    #expect(
      Box(x1: -9, y1: -9, x2: 1, y2: 1).squareCrop(margin: 0)
        == PixelRectangle(x: -9, y: -9, width: 10, height: 10))
  }

  @Test func squareCropOfExtremeBoxesIsSmallEnoughToCut() {
    let huge = Box(x1: -1e30, y1: -1e30, x2: 1e30, y2: .infinity).squareCrop(margin: 0.3)
    #expect(huge.width == 1 << 14 && huge.height == 1 << 14)
    let nothing = Box(x1: .nan, y1: 1, x2: 1, y2: .nan).squareCrop(margin: 0.3)
    #expect(nothing.width == 1 && nothing.height == 1)
  }
}
