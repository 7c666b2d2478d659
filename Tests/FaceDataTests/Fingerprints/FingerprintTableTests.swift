import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import MediaIO
import TestSupport
import Testing

@Suite struct FingerprintTableTests {
  /// Drawn pictures in a folder, and other files with these bytes, for the time that `body` runs.
  private func withFiles(
    _ count: Int, _ others: [Data] = [], _ body: (URL, FaceManifest) throws -> Void
  ) throws {
    try Paths.withTemporaryFolder { folder in
      var files: [URL] = []
      for number in 0..<count {
        let image = PlantedScene(person: UInt64(number), video: 1, place: UInt64(number))
          .frame(1, side: 48)
        files.append(folder.appendingPathComponent("\(number).jpg"))
        try ImageFile.write(image, to: files[number])
      }
      for (number, bytes) in others.enumerated() {
        files.append(folder.appendingPathComponent("other\(number)"))
        try bytes.write(to: files[files.count - 1])
      }
      try body(folder, FaceManifest(files.map { FaceSample(path: $0.path, label: .real) }))
    }
  }

  private func encoded(_ image: Image, _ format: ImageFile.Format = .png) throws -> Data {
    try ImageFile.encode(image, as: format)
  }

  @Test func statesFacts() throws {
    // Left half black, right half (200, 100, 0).
    let half = Image(width: 64, height: 32) { pixels in
      for place in 0..<64 * 32 {
        let isRight = place % 64 >= 32
        (pixels[3 * place], pixels[3 * place + 1], pixels[3 * place + 2]) =
          isRight ? (200, 100, 0) : (0, 0, 0)
      }
    }
    var generator = SeededGenerator(seed: 1)
    let noisy = Image(width: 100, height: 100) { pixels in
      for place in 0..<100 * 100 {
        let value = UInt8(max(0, min(255, (128 + 10 * generator.normal()).rounded())))
        for channel in 0..<3 { pixels[3 * place + channel] = value }
      }
    }
    let scene = PlantedScene(person: 1, video: 2, place: 3).frame(1, side: 200)
    let files = try [
      encoded(half), encoded(noisy), encoded(scene, .jpeg(quality: 20)),
      encoded(scene, .jpeg(quality: 95)), encoded(scene),
    ]
    try withFiles(0, files) { _, manifest in
      let table = try FingerprintTable.measure(manifest, embedder: nil, cache: nil)
      let facts = (0..<table.count).map { table.facts($0) }
      #expect(facts[0].width == 64 && facts[0].height == 32 && facts[0].format == .png)
      #expect(facts[0].fileBytes == files[0].count && facts[0].jpegQuality == nil)
      expectClose(
        [facts[0].mean.x, facts[0].mean.y, facts[0].mean.z], [100, 50, 0], tolerance: 1e-5)
      expectClose(
        [facts[0].deviation.x, facts[0].deviation.y, facts[0].deviation.z], [100, 50, 0],
        tolerance: 1e-5)
      expectClose([facts[0].saturation], [0.5], tolerance: 1e-5)
      // White noise: its own deviation, and 20 times its variance under the Laplacian.
      expectClose([facts[1].noise], [10], tolerance: 0.05)
      expectClose([facts[1].ownSharpness], [2000], tolerance: 0.1)
      expectClose([facts[1].blockiness], [0], tolerance: 0.05)
      #expect(facts[2].jpegQuality == 20 && facts[3].jpegQuality == 95)
      #expect(facts[2].format == .jpeg && facts[2].fileBytes < facts[3].fileBytes)
      // Blocks show at a low quality.
      #expect(facts[2].blockiness > 0.1 && facts[2].blockiness > facts[3].blockiness + 0.05)
      #expect(facts[2].sharpness < facts[4].sharpness * 1.5)
      #expect(table.digest(2) != table.digest(3) && table.digest(2).file != table.digest(4).file)
    }
  }

  @Test func goesOnAfterPicturesThatCannotBeUsed() throws {
    let tiny = Image(width: 1, height: 1, pixels: [9, 9, 9])
    let black = Image(width: 50, height: 50, pixels: Array(repeating: 0, count: 7500))
    let wide = Image(width: 700, height: 3) { $0.update(repeating: 77) }
    let whole = try encoded(PlantedScene(person: 1, video: 1, place: 1).frame(1, side: 40))
    let others = try [
      Data(), Data("no picture".utf8), whole.prefix(whole.count / 2), encoded(tiny),
      encoded(black), encoded(black), encoded(tiny), encoded(wide),
    ]
    try withFiles(3, others) { folder, manifest in
      let missing = FaceSample(path: folder.appendingPathComponent("none.jpg").path, label: .fake)
      let manifest = FaceManifest(Array(manifest.samples) + [missing])
      for embedder in [nil, PixelEmbedder()] {
        let table = try FingerprintTable.measure(
          manifest, embedder: embedder, cache: folder.appendingPathComponent("cache"))
        #expect(table.unreadable.map(\.index) == [3, 4, 5, 11])
        #expect((0..<12).map { table.isReadable($0) }.count { $0 } == 8)
        #expect(table.cacheProblem == nil)
        // Nothing is told from pictures of one colour.
        let groups = (0..<12).map { Int32($0) }
        let search = CopySearch()
        #expect(search.identicalFiles(table, groups: groups).isEmpty)
        #expect(search.nearCopies(table, groups: groups).isEmpty)
        #expect(search.backgrounds(table, groups: groups).isEmpty)
      }
    }
  }

  @Test func keepsWhatItMeasured() throws {
    try withFiles(70) { folder, manifest in
      let cache = folder.appendingPathComponent("cache")
      func measure(_ embedder: PixelEmbedder? = PixelEmbedder()) throws -> FingerprintTable {
        try FingerprintTable.measure(manifest, embedder: embedder, cache: cache)
      }
      func same(_ a: FingerprintTable, _ b: FingerprintTable) -> Bool {
        (0..<70).allSatisfy {
          a.facts($0) == b.facts($0) && a.digest($0) == b.digest($0)
            && a.embeddingSimilarity($0, 69 - $0) == b.embeddingSimilarity($0, 69 - $0)
        }
      }
      let first = try measure()
      #expect(first.cached == 0 && first.cacheProblem == nil)
      let second = try measure()
      #expect(second.cached == 70 && same(first, second))
      let groups = (0..<70).map { Int32($0) }
      #expect(
        CopySearch().nearCopies(first, groups: groups)
          == CopySearch().nearCopies(second, groups: groups))

      // A picture that changed is measured again.
      let image = PlantedScene(person: 99, video: 1, place: 3).frame(1, side: 60)
      try ImageFile.write(image, to: folder.appendingPathComponent("7.jpg"))
      let third = try measure()
      #expect(third.cached == 69 && third.facts(7).width == 60 && first.facts(7).width == 48)
      #expect(try measure().cached == 70)

      // What has been cut off or damaged is measured again, what stands before it is not.
      let whole = try Data(contentsOf: cache)
      try whole.dropLast(1).write(to: cache)
      let cut = try measure()
      #expect(cut.cached < 70 && same(cut, third))
      #expect(try measure().cached == 70)
      var generator = SeededGenerator(seed: 3)
      for _ in 0..<20 {
        var damaged = whole
        damaged[Int.random(in: 0..<whole.count, using: &generator)] ^= 1 << 3
        try damaged.write(to: cache)
        let table = try measure()
        #expect(same(table, third) && table.cacheProblem == nil)
      }
      for nonsense in [Data(), Data("nonsense".utf8), Data(repeating: 0xFF, count: 5000)] {
        try nonsense.write(to: cache)
        #expect(try measure().cached == 0)
        #expect(try measure().cached == 70)
      }

      // Another embedder's embeddings are not taken.
      var other = PixelEmbedder()
      other.name = "others"
      #expect(try measure(other).cached == 0)
      #expect(try measure(nil).cached == 0)
    }
  }

  @Test func needsNoCache() throws {
    try withFiles(2) { folder, manifest in
      let table = try FingerprintTable.measure(
        manifest, embedder: nil, cache: folder.appendingPathComponent("no/such/cache"))
      #expect(table.cacheProblem != nil && table.unreadable.isEmpty)
    }
  }

  @Test func endsWhenCancelled() async throws {
    try await withTemporaryManifest { manifest in
      let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try FingerprintTable.measure(manifest, embedder: nil, cache: nil)
      }
      await #expect(throws: CancellationError.self) { try await task.value }
    }
  }

  private func withTemporaryManifest(_ body: (FaceManifest) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("dfkit-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("a.png")
    try ImageFile.write(Image(width: 9, height: 9) { $0.update(repeating: 3) }, to: file)
    try await body(FaceManifest([FaceSample(path: file.path, label: .real)]))
  }
}
