import DFKit
import Foundation
import TestSupport
import Testing

/// Crops of later frames, for networks with a difference.
@Suite struct LaterCropTests {
  /// A material with one video at 10 frames per second, in which the right patch gets brighter.
  private func withVideo(_ body: (ExtractionMaterial, URL) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      let material = ExtractionMaterial(folder: folder)
      let url = folder.appendingPathComponent("videos/real/a.mp4")
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      let writer = try VideoWriter(url, width: 64, height: 48, frameRate: 10)
      for index in 0..<20 {
        var picture = Image.plain(64, 48, grey: 120)
        picture.fillRectangle(x: 2, y: 4, width: 14, height: 14, color: .red)
        picture.fillRectangle(x: 6, y: 10, width: 5, height: 3, color: .black)
        picture.paste(.plain(20, 20, grey: UInt8(40 + 8 * index)), x: 40, y: 20)
        try writer.append(picture)
      }
      try writer.finish()
      try body(material, url)
    }
  }

  private func options(_ frames: Int = 4) -> ExtractionOptions {
    var options = ExtractionOptions()
    options.frames = .spread(frames)
    options.difference = 0.3
    return options
  }

  @Test func theSameBoxIsCutOutOfTheLaterFrame() throws {
    try withVideo { material, url in
      try material.run(options())
      let manifest = try material.manifest()
      #expect(manifest.count == 8)
      var frames: [Int: (Image, Image)] = [:]
      try Video(url).evenlySpacedFrames(4, withLaterBy: 0.3) { first, later in
        let later = try #require(later)
        #expect(later.index == first.index + 3)
        frames[first.index] = (first.image, later.image)
      }
      for sample in manifest.samples {
        let later = try #require(sample.later)
        #expect(later.lastPathComponent.hasSuffix("_later.png"))
        #expect(ManifestWriter.row(sample).contains(",\(sample.path.dropLast(4))_later.png,"))
        let number = try #require(sample.frame)
        let (first, second) = try #require(frames[number])
        // The detector finds a face of this box; the left one has landmarks.
        let face = Face(box: try #require(sample.box), score: 1)
        #expect(try ImageFile.read(sample.file) == options().crop.cut(face, from: first))
        #expect(try ImageFile.read(later) == options().crop.cut(face, from: second))
      }
      try manifest.checkFiles()
      // Nothing else is left in the folder, and a second run has nothing to do.
      let before = try material.contents()
      #expect(before.keys.count { $0.hasSuffix("_later.png") } == 8)
      #expect(!before.keys.contains { $0.contains(".work") })
      try material.run(options())
      #expect(try material.contents() == before)
    }
  }

  @Test func theDifferenceIsPartOfTheFoldersSettings() throws {
    try withVideo { material, _ in
      try material.run(options())
      var other = options()
      other.difference = nil
      let error = #expect(throws: ExtractionError.self) { try material.run(other) }
      #expect(error?.description.contains("frames.difference: was 0.3") == true)
      // Without one, there are no later crops, and a folder's settings are as they were.
      try material.run(other, out: "plain")
      #expect(try material.manifest("plain").samples.allSatisfy { $0.later == nil })
      let record = try #require(try material.contents("plain")["extract.json"])
      #expect(!String(decoding: record, as: UTF8.self).contains("difference"))
    }
  }

  @Test func whatCannotBeDoneIsRefused() throws {
    try withVideo { material, _ in
      for frames in [ExtractionOptions.Frames.all, .firstFace] {
        var options = options()
        options.frames = frames
        let error = #expect(throws: ExtractionError.self) { try material.run(options) }
        #expect(error?.description.contains("number of frames") == true)
      }
      for time in [Float.nan, -1, 0, 3, .infinity] {
        var options = options()
        options.difference = time
        let error = #expect(throws: ExtractionError.self) { try material.run(options) }
        #expect(error?.description.contains("0.001 to 2") == true)
      }
    }
  }
}
