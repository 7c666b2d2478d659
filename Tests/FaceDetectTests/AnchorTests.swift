import FaceDetect
import TestSupport
import Testing

@Suite struct AnchorTests {
  @Test func agreesWithTheReference() throws {
    for golden in try DetectorGolden.load().anchors {
      let grid = AnchorGrid(width: golden.width, height: golden.height)
      let label = "\(golden.width)x\(golden.height)"
      #expect(grid.count == golden.count, "\(label)")
      for row in golden.anchors {
        let anchor = try #require(grid.anchor(row.index))
        #expect(
          [anchor.centerX, anchor.centerY, anchor.size] == row.anchor, "\(label) \(row.index)")
        let face = row.offsets.withUnsafeBufferPointer { offsets in
          Face(
            box: anchor.box(UnsafeBufferPointer(rebasing: offsets[..<4])), score: 1,
            landmarks: anchor.landmarks(UnsafeBufferPointer(rebasing: offsets[4...])))
        }
        expectClose(face.box.edges, row.box, tolerance: 1e-4, "\(label) box")
        expectClose(
          face.landmarks.flatMap { [$0.x, $0.y] }, row.landmarks, tolerance: 1e-4,
          "\(label) landmarks")
      }
    }
  }

  @Test func partialCellsCount() {
    #expect(AnchorGrid(width: 640, height: 640).count == 2 * (80 * 80 + 40 * 40 + 20 * 20))
    #expect(AnchorGrid(width: 641, height: 640).count == 2 * (81 * 80 + 41 * 40 + 21 * 20))
    #expect(AnchorGrid(width: 1, height: 1).count == 6)
  }
}

extension AnchorGrid {
  /// The anchor of an index over all levels.
  fileprivate func anchor(_ index: Int) -> Anchor? {
    var rest = index
    for level in levels {
      if rest < level.count { return level[rest] }
      rest -= level.count
    }
    return nil
  }
}
