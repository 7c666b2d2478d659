import DFKit
import Testing

@Suite("Explanation: regions of a face") struct RegionOcclusionTests {
  /// Says how bright and dark pixels differ in a part of a crop: what is lost where that part is
  /// blurred.
  private struct Contrast: FrameClassifier {
    var rows: Range<Int>
    var columns: Range<Int>
    let classCount = 1
    let input = InputSpec(size: 100, mean: [0, 0, 0], std: [1, 1, 1])
    let batchSize = 8

    func logits(_ batch: Tensor) -> Tensor {
      let side = batch.shape[1]
      let values = batch.scalars
      let scores = (0..<batch.shape[0]).map { image -> Float in
        var sum: Float = 0
        for row in rows {
          for column in columns.dropLast() {
            let place = ((image * side + row) * side + column) * 3
            sum += abs(values[place] - values[place + 3])
          }
        }
        return sum
      }
      return Tensor(scores, shape: [scores.count, 1])
    }
  }

  /// Stripes all over, with a face's points in the middle.
  private var crop: Image {
    var image = Image(width: 100, height: 100, pixels: [UInt8](repeating: 30, count: 30_000))
    for y in 0..<100 {
      for x in 0..<100 where x % 4 < 2 { image[x, y] = (200, 200, 200) }
    }
    return image
  }

  private let landmarks: [Point] = [
    .init(x: 35, y: 40), .init(x: 65, y: 40), .init(x: 50, y: 58), .init(x: 38, y: 70),
    .init(x: 62, y: 70),
  ]

  @Test func theRegionThatTheNetworkLooksAtMattersMost() throws {
    for (region, rows, columns) in [
      (RegionOcclusion.Region.eyes, 34..<42, 28..<44), (.mouth, 66..<76, 42..<58),
      (.nose, 50..<58, 45..<55), (.outline, 30..<80, 8..<14),
    ] {
      let findings = try #require(
        RegionOcclusion(Contrast(rows: rows, columns: columns))(crop, landmarks: landmarks))
      #expect(findings.count == 4)
      #expect(findings[0].region == region && findings[0].weight > 1, "\(region): \(findings)")
      #expect(findings[0].weight > 3 * findings[1].weight, "\(region): \(findings)")
    }
  }

  @Test func withoutAFaceNothingIsSaid() {
    let network = Contrast(rows: 0..<9, columns: 0..<9)
    #expect(RegionOcclusion(network)(crop, landmarks: []) == nil)
    let point = Point(x: 5, y: 5)
    #expect(RegionOcclusion(network)(crop, landmarks: Array(repeating: point, count: 5)) == nil)
  }
}
