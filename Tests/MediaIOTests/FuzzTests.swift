import DeepfakeCore
import Foundation
import MediaIO
import TestSupport
import Testing

/// Damaged files: any outcome is right but a crash, a hang, or an error that is no `MediaError`.
/// Run it with `--sanitize=address` too.
@Suite struct FuzzTests {
  /// `data` cut to `cuts` lengths, and `flips` times with up to eight bytes replaced.
  private func damaged(_ data: Data, label: String, cuts: Int, flips: Int) -> [Data] {
    var generator = SeededGenerator(seed: 7, label: label)
    var result = (0..<cuts).map { data.prefix(data.count * $0 / cuts) }
    for _ in 0..<flips {
      var copy = data
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        // Half of the damage goes to the headers at the start.
        let end = Bool.random(using: &generator) ? min(200, data.count) : data.count
        copy[Int.random(in: 0..<end, using: &generator)] = .random(in: 0...255, using: &generator)
      }
      result.append(copy)
    }
    return result.map { Data($0) }
  }

  @Test(arguments: Expected.all.images)
  func damagedPictures(_ expected: Expected.Picture) throws {
    let data = try Data(contentsOf: Paths.fixture("media/\(expected.file)"))
    let cases = damaged(data, label: expected.file, cuts: 40, flips: 60)
    var refused = 0
    for (i, bytes) in cases.enumerated() {
      do throws(MediaError) {
        let image = try ImageFile.read(bytes, name: "case \(i)")
        #expect(image.pixels.count == image.width * image.height * 3)
      } catch {
        refused += 1
        #expect(error.description.hasPrefix("case \(i): "))
      }
    }
    // A picture cut in its first half never passes for whole.
    #expect(refused >= 20)
  }

  @Test(arguments: Expected.all.videos)
  func damagedVideos(_ expected: Expected.Clip) throws {
    let data = try Data(contentsOf: Paths.fixture("media/\(expected.file)"))
    let cases = damaged(data, label: expected.file, cuts: 12, flips: 24)
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent(expected.file)
      for bytes in cases {
        try bytes.write(to: url)
        do {
          var delivered = 0
          var video = try Video(url)
          video.threadCount = 2
          let summary = try video.evenlySpacedFrames(4) { frame in
            delivered += 1
            #expect(frame.image.pixels.count == frame.image.width * frame.image.height * 3)
            #expect(frame.time.isFinite)
          }
          #expect(delivered == min(4, summary.decodedFrames) && delivered > 0)
          #expect(summary.isIntact == summary.warnings.isEmpty || summary.isIntact)
        } catch let error as MediaError {
          #expect(error.description.hasPrefix(url.path))
        }
        _ = try MediaKind.of(url)
      }
    }
  }
}
