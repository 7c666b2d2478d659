import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import MediaIO
import TestSupport
import Testing

@Suite struct PlantedLeaksTests {
  /// The benchmark of leaks planted on purpose, at a small size: `dfkit bench copies` runs it at
  /// any.
  @Test func findsPlantedCopies() throws {
    try Paths.withTemporaryFolder { folder in
      let leaks = try PlantedLeaks(
        .drawn(side: 160), count: 1000, planted: 160, seed: 5, in: folder)
      let table = try FingerprintTable.measure(leaks.manifest, embedder: nil, cache: nil)
      #expect(table.unreadable.isEmpty)
      let search = CopySearch()
      let identical = search.identicalFiles(table, groups: leaks.groups)
      let near = search.nearCopies(table, groups: leaks.groups)
      let score = leaks.score(identical + near)
      // Shares that must be found; the figures at large sizes are in Docs/Datasets.md.
      let floors: [PlantedCopy: Float] = [
        .identical: 1, .recompressed: 1, .resized: 1, .flipped: 1, .brightened: 1, .shifted: 0.8,
        .recropped: 0.7, .combined: 0.7,
      ]
      for kind in PlantedCopy.allCases {
        let (share, floor) = (try #require(score.copies[kind]), try #require(floors[kind]))
        #expect(share.planted == 20)
        #expect(share.value >= floor, "\(kind): \(share.found) of \(share.planted)")
      }
      #expect(
        score.falseAlarmsInTenThousand <= 120, "\(score.falseAlarms) of \(score.clean) crops")
      #expect(near.allSatisfy { leaks.groups[$0.first] != leaks.groups[$0.second] })
      // Bounded for every sample.
      #expect(near.count <= table.count * search.linksPerSample)

      let places = leaks.scorePlaces(search.backgrounds(table, groups: leaks.groups))
      #expect(places.videos.planted > 20)
      #expect(places.videos.value >= 0.15 && places.falseAlarms <= 5)
    }
  }

  @Test func findsTheSameWithAnyNumberOfThreads() throws {
    try Paths.withTemporaryFolder { folder in
      let leaks = try PlantedLeaks(.drawn(side: 104), count: 200, planted: 60, seed: 6, in: folder)
      let one = try FingerprintTable.measure(
        leaks.manifest, embedder: PixelEmbedder(), cache: nil, threads: 1)
      let many = try FingerprintTable.measure(
        leaks.manifest, embedder: PixelEmbedder(), cache: nil, threads: 5)
      let threads = Parallel.threadCount
      defer { Parallel.threadCount = threads }
      var found: [[CopyMatch]] = []
      var alike: [[SampleLink]] = []
      for (table, count) in [(one, 1), (many, 4)] {
        Parallel.threadCount = count
        found.append(CopySearch().nearCopyMatches(table, groups: leaks.groups))
        alike.append(CopySearch().lookAlikes(table, groups: leaks.groups))
      }
      #expect(found[0] == found[1] && !found[0].isEmpty)
      #expect(alike[0] == alike[1] && !alike[0].isEmpty)
    }
  }

  /// Where a copy lies in its original is told.
  @Test func tellsHowCopiesLie() throws {
    try Paths.withTemporaryFolder { folder in
      let scene = PlantedScene(person: 3, video: 4, place: 5).frame(1, side: 300)
      let original = scene.cropped(x: 40, y: 40, width: 200, height: 200)
      let cases: [(Image, CopyPlacement)] = [
        (original.flippedHorizontally(), CopyPlacement(isMirrored: true)),
        (
          scene.cropped(x: 56, y: 30, width: 200, height: 200),
          CopyPlacement(right: 0.08, down: -0.05)
        ),
        (scene.cropped(x: 58, y: 58, width: 164, height: 164), CopyPlacement(scale: 0.82)),
        (
          original.resized(width: 90, height: 90, method: .area).flippedHorizontally(),
          CopyPlacement(isMirrored: true)
        ),
      ]
      for (number, (image, expected)) in cases.enumerated() {
        let files = ["a\(number).png", "b\(number).png"].map { folder.appendingPathComponent($0) }
        try ImageFile.write(original, to: files[0])
        try ImageFile.write(image, to: files[1])
        let manifest = FaceManifest(
          files.map { FaceSample(path: $0.path, label: .real) })
        let table = try FingerprintTable.measure(manifest, embedder: nil, cache: nil)
        let match = try #require(
          CopySearch().nearCopyMatches(table, groups: [0, 1]).first, "case \(number)")
        let found = match.placement
        #expect(found.isMirrored == expected.isMirrored, "case \(number)")
        expectClose(
          [found.scale, found.right, found.down], [expected.scale, expected.right, expected.down],
          tolerance: 0.02, "case \(number)")
      }
    }
  }
}

/// An embedder that sees a small picture, the same as its mirror image.
struct PixelEmbedder: FaceEmbedder {
  var name = "pixels"
  let dimension = 64
  let lookAlikeThreshold: Float = 0.95

  func embeddings(_ crops: [Image]) throws -> Tensor {
    Tensor(
      crops.flatMap { crop -> [Float] in
        let small = crop.resized(width: 8, height: 8, method: .area)
        var values = (0..<64).map { place -> Float in
          let (x, y) = (place % 8, place / 8)
          return Float(small[x, y].green) + Float(small[7 - x, y].green)
        }
        let mean = values.reduce(0, +) / 64
        for place in values.indices { values[place] -= mean }
        let length = max(1e-6, values.reduce(0) { $0 + $1 * $1 }.squareRoot())
        return values.map { $0 / length }
      }, shape: [crops.count, dimension])
  }
}
