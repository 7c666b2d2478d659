import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// The difference to a later image, as further channels of a batch.
@Suite struct ImageDifferenceTests {
  /// An entry of `Fixtures/input_channels.json`, computed by numpy in double precision.
  struct Entry: Decodable {
    var width: Int
    var height: Int
    var now: [UInt8]
    var later: [UInt8]
    var order: String
    var channels: String
    var expected: [Float]
  }

  private struct File: Decodable {
    var inputs: [Entry]
  }

  private static let plain = PixelNormalization()

  private func tensor(
    _ image: Image, _ later: Image?, _ channels: NetworkSettings.Difference.Channels,
    _ normalization: PixelNormalization = plain
  ) -> Tensor {
    Tensor(images: [image], later: [later], channels, normalization: normalization)
  }

  @Test func aDarkerLaterPictureIsNegative() {
    // In bytes, 3 - 5 would be 254.
    let (now, later) = (
      Image(width: 1, height: 1, pixels: [5, 5, 5]), Image(width: 1, height: 1, pixels: [3, 9, 5])
    )
    let colors = tensor(now, later, .rgb)
    #expect(colors.shape == [1, 1, 1, 6])
    expectClose(
      colors.scalars, [5 / 255, 5 / 255, 5 / 255, -2 / 255, 4 / 255, 0], tolerance: 1e-7)
    let luma = tensor(now, later, .luma)
    #expect(luma.shape == [1, 1, 1, 4])
    expectClose(luma.scalars[3...].map { $0 }, [(-2 * 0.299 + 4 * 0.587) / 255], tolerance: 1e-8)
    let black = Image(width: 1, height: 1, pixels: [0, 0, 0])
    let white = Image(width: 1, height: 1, pixels: [255, 255, 255])
    expectClose(Array(tensor(white, black, .rgb).scalars[3...]), [-1, -1, -1], tolerance: 1e-6)
    expectClose(Array(tensor(black, white, .luma).scalars[3...]), [1], tolerance: 1e-6)
  }

  @Test func equalsNumpysInEveryOrder() throws {
    let file = Paths.fixture("input_channels.json")
    let entries = try JSONDecoder().decode(File.self, from: Data(contentsOf: file)).inputs
    #expect(entries.count == 4)
    for entry in entries {
      let channels = try #require(NetworkSettings.Difference.Channels(rawValue: entry.channels))
      let found = tensor(
        Image(width: entry.width, height: entry.height, pixels: entry.now),
        Image(width: entry.width, height: entry.height, pixels: entry.later), channels,
        PixelNormalization(
          mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225],
          channelOrder: try #require(ChannelOrder(rawValue: entry.order))))
      #expect(found.shape == [1, entry.height, entry.width, 3 + channels.count])
      expectClose(
        found.scalars, entry.expected, tolerance: 1e-6, "\(entry.order) \(entry.channels)")
    }
  }

  @Test func theCropItselfIsNormalisedAsWithoutADifference() {
    var generator = SeededGenerator(seed: 1, label: "difference")
    let images = (0..<3).map { _ in
      Image(width: 37, height: 21) { pixels in
        for i in pixels.indices { pixels[i] = UInt8(truncatingIfNeeded: generator.next()) }
      }
    }
    let normalization = PixelNormalization(
      mean: [0.4, 0.5, 0.6], std: [0.2, 0.25, 0.3], channelOrder: .bgr)
    let whole = Tensor(
      images: images, later: [nil, images[0], images[2]], .rgb, normalization: normalization)
    let plain = Tensor(images: images, normalization: normalization)
    #expect(whole.slice(axis: 3, 0..<3).scalars == plain.scalars)
    // Nothing moves where there is no later image, or an equal one.
    let differences = whole.slice(axis: 3, 3..<6)
    #expect(differences.slice(axis: 0, 0..<1).scalars.allSatisfy { $0 == 0 })
    #expect(differences.slice(axis: 0, 2..<3).scalars.allSatisfy { $0 == 0 })
    #expect(differences.slice(axis: 0, 1..<2).scalars.contains { $0 < 0 })
  }
}
