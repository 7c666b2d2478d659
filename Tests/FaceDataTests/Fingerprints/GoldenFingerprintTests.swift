import DeepfakeCore
import FaceData
import Foundation
import MediaIO
import TestSupport
import Testing

/// What `make_fingerprints.py` wrote.
private struct Golden: Decodable {
  struct Hash: Decodable {
    var width: Int
    var height: Int
    var seed: Int
    var hash: String
    var mirrored: String
    var lanczos: [UInt8]

    /// The picture that the script computed.
    var picture: Image {
      let (width, height, seed) = (width, height, seed)
      return Image(width: width, height: height) { pixels in
        for y in 0..<height {
          for x in 0..<width {
            for c in 0..<3 {
              let s = seed * 7 + c * 3
              let wave =
                (x * x * (s % 5 + 1) + y * y * (s % 3 + 1) + x * y * (s % 7)) / (width + height)
              let blocks = ((x * 5 / width) * 37 + (y * 4 / height) * 53 + s * 29) % 200
              pixels[(y * width + x) * 3 + c] = UInt8((wave % 90 + blocks * 4 / 5) % 256)
            }
          }
        }
      }
    }
  }

  struct Header: Decodable {
    var quality: Int
    var bytes: Data
  }

  var hashes: [Hash]
  var headers: [Header]

  static func read() throws -> Golden {
    try JSONDecoder().decode(
      Golden.self, from: Data(contentsOf: Paths.fixture("fingerprints.json")))
  }
}

@Suite struct GoldenFingerprintTests {
  @Test func hashesAsImagehashDoes() throws {
    let golden = try Golden.read()
    #expect(golden.hashes.count == 8)
    for expected in golden.hashes {
      let grey = GreyPicture(expected.picture).lanczos(PerceptualHash.side)
      if !expected.lanczos.isEmpty { #expect(grey == expected.lanczos, "seed \(expected.seed)") }
      let hash = PerceptualHash(grey)
      #expect(hash.upright == UInt64(expected.hash, radix: 16), "seed \(expected.seed)")
      #expect(hash.mirrored == UInt64(expected.mirrored, radix: 16), "seed \(expected.seed)")
    }
  }

  @Test func readsTheQualityOfJPEGs() throws {
    let golden = try Golden.read()
    #expect(golden.headers.count == 18)
    for header in golden.headers {
      #expect(JPEGQuality.estimate(header.bytes) == header.quality)
    }
  }

  @Test func survivesDamagedTables() throws {
    let header = try #require(try Golden.read().headers.first?.bytes)
    #expect(JPEGQuality.estimate(Data()) == nil)
    #expect(JPEGQuality.estimate(Data([0xFF, 0xD8, 0xFF])) == nil)
    for length in 0..<header.count { _ = JPEGQuality.estimate(header.prefix(length)) }
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<2000 {
      var bytes = header
      for _ in 0..<4 {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] =
          UInt8(truncatingIfNeeded: generator.next())
      }
      let quality = JPEGQuality.estimate(bytes)
      #expect(quality.map { (1...100).contains($0) } ?? true)
    }
  }
}
