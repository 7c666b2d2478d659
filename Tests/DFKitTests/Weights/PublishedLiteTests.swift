import Classifiers
import DFKit
import DeepfakeCore
import Foundation
import MediaIO
import TestSupport
import Testing

/// EfficientNet-Lite with its published weights against the implementation that they were published
/// for (`Fixtures/make_lite.py`); where the weights have been fetched.
@Suite(.serialized) struct PublishedLiteTests {
  /// An entry of `Fixtures/lite.json`.
  struct Entry: Decodable {
    var network: String
    var input: String
    var size: Int
    var classes: [Int]
    var values: [Float]
    var samples: [Float]
  }

  static let entries =
    (try? JSONDecoder().decode(
      [Entry].self, from: Data(contentsOf: Paths.fixture("lite.json")))) ?? []

  /// Where a network's weights are; nil where they have not been fetched.
  static func weights(_ network: String) -> URL? {
    (try? WeightsStore())?.url(of: network)
  }

  @Test func thereAreVectors() {
    #expect(Self.entries.count == 9)
  }

  @Test(.enabled(if: entries.contains { weights($0.network) != nil }), arguments: entries.indices)
  func scoresEqualThePublished(_ index: Int) throws {
    let entry = Self.entries[index]
    guard let file = Self.weights(entry.network) else { return }
    let model = try ClassifierModel(StateDict.read(file))
    #expect(model.settings.architecture.rawValue == entry.network)
    #expect(model.input.size == entry.size)
    let x: Tensor
    if entry.input.hasSuffix(".jpg") {
      guard Paths.hasReference else { return }
      let picture = try ImageFile.read(Paths.reference("images/\(entry.input)"))
      let crop = picture.cropped(
        x: (picture.width - entry.size) / 2, y: (picture.height - entry.size) / 2,
        width: entry.size, height: entry.size)
      x = Tensor(
        images: [crop],
        normalization: PixelNormalization(
          mean: model.input.mean, std: model.input.std, channelOrder: model.input.channelOrder))
    } else {
      x = Formula.image(entry.input, batch: 1, height: entry.size, width: entry.size)
    }
    let logits = model.logits(x).scalars
    let best = logits.indices.sorted { logits[$0] > logits[$1] }.prefix(5)
    #expect(Array(best) == entry.classes)
    expectClose(best.map { logits[$0] }, entry.values, tolerance: 2e-4)
    expectClose(
      stride(from: 0, to: 1000, by: 50).map { logits[$0] }, entry.samples, tolerance: 2e-4)
  }
}
