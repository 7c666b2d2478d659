import DFKit
import Testing

@Suite struct FaceChoiceTests {
  private let faces = [
    Face.at(0, 0, side: 5, score: 0.7), .at(1, 0, side: 9, score: 0.9),
    .at(2, 0, side: 20, score: 0.6), .at(3, 0, side: 5, score: 0.9),
  ]

  @Test func theSurestIsTheDefault() {
    var choice = Recipe.Faces()
    #expect(choice.chosen(from: faces) == [faces[1], faces[3], faces[0], faces[2]])
    choice.perFrame = 1
    #expect(choice.chosen(from: faces) == [faces[1]])
    #expect(choice.chosen(from: []) == [])
  }

  @Test func sizeAndNumberCanBeChosen() {
    var choice = Recipe.Faces()
    choice.choose = .size
    choice.perFrame = 2
    #expect(choice.chosen(from: faces) == [faces[2], faces[1]])
    choice.choose = .score
    choice.perFrame = 3
    // Equals keep the detector's order.
    #expect(choice.chosen(from: faces) == [faces[1], faces[3], faces[0]])
    choice.perFrame = 100
    #expect(choice.chosen(from: faces).count == 4)
  }

  @Test func cropsAreSquareWithAMarginAndPadded() {
    var image = Image.plain(40, 30)
    for y in 0..<30 { image[0, y] = (255, 0, 0) }
    var crop = Recipe.Crop()
    crop.margin = 0.5
    let box = Box(x1: 0, y1: 10, x2: 10, y2: 16)
    let cut = crop.cut(Face(box: box, score: 1), from: image)
    #expect(cut.width == 20)
    #expect(cut.height == 20)
    // Columns -5 to 14 of the frame: what lies beyond the edge repeats it.
    for x in 0...5 { #expect(cut[x, 3] == (255, 0, 0)) }
    #expect(cut[6, 3] == (128, 128, 128))
  }

  @Test func alignedCropsHaveTheFacesOwnSizeOrAreSquare() {
    let image = Image.plain(300, 300)
    var crop = Recipe.Crop()
    crop.shape = .aligned
    crop.margin = 0.25
    // The template at 1.5 times its size, lying on its side.
    let landmarks = FaceAlignment.template.map { Point(x: 200 - 1.5 * $0.y, y: 1.5 * $0.x + 20) }
    let box = Box(x1: 40, y1: 40, x2: 180, y2: 160)
    let cut = crop.cut(Face(box: box, score: 1, landmarks: landmarks), from: image)
    #expect(cut.width == 252 && cut.height == 252)
    let square = crop.cut(Face(box: box, score: 1), from: image)
    #expect(square.width == 210)
  }
}
