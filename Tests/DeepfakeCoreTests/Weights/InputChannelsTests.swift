import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// First layers for other numbers of input channels, against timm's `adapt_input_conv`.
@Suite struct InputChannelsTests {
  /// An entry of `Fixtures/input_channels.json`.
  struct Entry: Decodable {
    var name: String
    /// OIHW.
    var shape: [Int]
    var channels: Int
    var expected: [Float]
  }

  private struct File: Decodable {
    var adapt: [Entry]
  }

  /// Weights computed from a name, in memory layout.
  private func weights(_ name: String, _ shape: [Int]) -> Tensor {
    Tensor(Formula.values(name, shape: shape, varianceScale: 1), shape: shape)
      .transposed([2, 3, 1, 0])
  }

  @Test func equalTimms() throws {
    let file = Paths.fixture("input_channels.json")
    let entries = try JSONDecoder().decode(File.self, from: Data(contentsOf: file)).adapt
    #expect(Set(entries.map(\.channels)) == [1, 2, 4, 5, 6, 7])
    for entry in entries {
      let adapted = try #require(
        weights(entry.name, entry.shape).adaptedToInput(channels: entry.channels))
      let found = adapted.transposed([3, 2, 0, 1])
      let label = "\(entry.shape) to \(entry.channels)"
      #expect(found.shape.reduce(1, *) == entry.expected.count, "\(label)")
      if entry.channels > 1 {
        // One product for each weight: equal to the last bit.
        #expect(found.scalars == entry.expected, "\(label)")
      } else {
        expectClose(found.scalars, entry.expected, tolerance: 3e-7, label)
      }
    }
  }

  @Test func whatTheRuleDoesNotCoverIsNil() {
    let four = weights("four.weight", [2, 4, 3, 3])
    #expect(four.adaptedToInput(channels: 6) == nil && four.adaptedToInput(channels: 1) == nil)
    #expect(four.adaptedToInput(channels: 4)?.scalars == four.scalars)
    let three = weights("three.weight", [2, 3, 3, 3])
    #expect(three.adaptedToInput(channels: 3)?.scalars == three.scalars)
  }
}
