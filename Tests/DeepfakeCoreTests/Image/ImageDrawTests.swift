import DeepfakeCore
import TestSupport
import Testing

@Suite struct ImageDrawTests {
  private func blank(_ width: Int, _ height: Int) -> Image {
    Image(width: width, height: height, pixels: [UInt8](repeating: 0, count: width * height * 3))
  }

  /// The image as rows of `#` where it is not black.
  private func picture(_ image: Image) -> [String] {
    (0..<image.height).map { y in
      String((0..<image.width).map { image[$0, y] == (0, 0, 0) ? "." : "#" })
    }
  }

  @Test func rectangles() {
    var image = blank(8, 6)
    image.drawRectangle(left: 1, top: 1, right: 7, bottom: 5, color: .white, thickness: 1)
    #expect(
      picture(image) == ["........", ".######.", ".#....#.", ".#....#.", ".######.", "........"])
    image = blank(4, 4)
    image.drawRectangle(left: -3, top: -3, right: 3, bottom: 3, color: .white, thickness: 2)
    #expect(picture(image) == [".##.", "###.", "###.", "...."])
  }

  @Test func discsAndLines() {
    var image = blank(7, 7)
    image.drawDisc(x: 3.5, y: 3.5, radius: 2, color: .red)
    #expect(
      picture(image) == [
        ".......", "...#...", "..###..", ".#####.", "..###..", "...#...", ".......",
      ])
    #expect(image[3, 3] == (Color.red.red, Color.red.green, Color.red.blue))
    image = blank(5, 5)
    image.drawLine(fromX: 0.5, fromY: 0.5, toX: 4.5, toY: 4.5, color: .white, thickness: 1)
    #expect(picture(image) == ["#....", ".#...", "..#..", "...#.", "....#"])
  }

  @Test func labels() {
    var image = blank(13, 9)
    image.drawLabel("f1", x: 0, y: 0, scale: 1)
    #expect(Image.labelSize("f1", scale: 1) == (13, 9))
    #expect(
      picture(image) == [
        ".............", ".#####...#...", ".#......##...", ".#.......#...", ".###.....#...",
        ".#.......#...", ".#.......#...", ".#......###..", ".............",
      ])
    // Moved inside, and cut where the image is smaller than the label.
    image = blank(60, 20)
    image.drawLabel("99.5%", x: 55, y: -40, scale: 1, background: .green)
    #expect(picture(image)[0].hasSuffix(String(repeating: "#", count: 31)))
    image = blank(3, 3)
    image.drawLabel("é 漢", x: 0, y: 0, scale: 3, background: .yellow)
    #expect(picture(image) == ["###", "###", "###"])
  }

  @Test func filledRectanglesAndImagesAreCutAtTheEdges() {
    var image = blank(5, 4)
    image.fillRectangle(x: 3, y: -2, width: 9, height: 4, color: .white)
    #expect(picture(image) == ["...##", "...##", ".....", "....."])
    image.fillRectangle(x: 0, y: 0, width: -3, height: 2, color: .white)
    image.fillRectangle(x: .max, y: .min, width: .max, height: .max, color: .white)
    #expect(picture(image) == ["...##", "...##", ".....", "....."])
    var stamp = blank(2, 2)
    stamp.fillRectangle(x: 0, y: 0, width: 1, height: 2, color: .white)
    for (x, y) in [(-1, 0), (0, 3), (4, 2), (9, 9), (.max, .min), (-2, -2)] {
      image.paste(stamp, x: x, y: y)
    }
    #expect(picture(image) == ["...##", "...##", "....#", "#...#"])
  }

  @Test func whatReadsBetterOnAColour() {
    #expect(
      Color.white.contrastingTextColor == .black && Color.yellow.contrastingTextColor == .black)
    #expect(Color.black.contrastingTextColor == .white)
    #expect(Color.white.luminance == 1 && Color.black.luminance == 0)
  }

  @Test func anyCoordinateIsSafe() {
    let values: [Float] = [.nan, .infinity, -.infinity, 1e30, -1e30, 0, 3, -3]
    var image = blank(5, 4)
    for x in values {
      for y in values {
        image.drawRectangle(left: x, top: y, right: y, bottom: x, color: .white)
        image.drawDisc(x: x, y: y, radius: 2, color: .white)
        image.drawDisc(x: 1, y: 1, radius: x, color: .white)
        image.drawLine(fromX: x, fromY: 1, toX: y, toY: 2, color: .white, thickness: 1)
        image.drawLabel("A", x: x, y: y, scale: 1)
      }
    }
    image.drawLabel("", x: 0, y: 0, scale: -5)
    #expect(image.width == 5 && image.height == 4 && image.pixels.count == 60)
  }
}
