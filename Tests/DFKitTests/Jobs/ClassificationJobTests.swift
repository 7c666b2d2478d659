import DFKit
import Foundation
import TestSupport
import Testing

@Suite struct ClassificationJobTests {
  /// One logit, the mean of the picture; NaN for a black one.
  private struct MeanClassifier: FrameClassifier {
    let input = InputSpec(size: 32, mean: [0, 0, 0], std: [1, 1, 1])
    let classCount = 1
    let batchSize = 2

    func logits(_ batch: Tensor) -> Tensor {
      let pixels = batch.scalars.count / batch.shape[0]
      let means = (0..<batch.shape[0]).map { i in
        batch.scalars[i * pixels..<(i + 1) * pixels].reduce(0, +) / Float(pixels)
      }
      return Tensor(means.map { $0 == 0 ? .nan : $0 }, shape: [means.count, 1])
    }
  }

  @Test func outputsThatAreNotNumbersAreAnError() throws {
    try Paths.withTemporaryFolder { folder in
      let names = ["a.png", "b.png", "c.png"]
      let files = names.map { folder.appendingPathComponent($0).path }
      for (file, grey) in zip(files, [UInt8(255), 0, 51]) {
        try ImageFile.write(.plain(32, 32, grey: grey), to: URL(fileURLWithPath: file))
      }
      var reports: [ClassificationReport] = []
      let media = MediaFiles.expand(files, kinds: [.image])
      let outcome = ClassificationJob(classifier: MeanClassifier()).run(media) {
        reports.append($0)
      }
      #expect(outcome.failures == 1)
      try #require(reports.count == 3)
      expectClose(reports[0].logits + reports[2].logits, [1, 0.2], tolerance: 1e-5)
      #expect(reports[0].error == nil && reports[2].error == nil)
      #expect(reports[1].logits.isEmpty && reports[1].probability == nil)
      #expect(reports[1].error?.contains("b.png: the network's outputs are not finite") == true)
    }
  }
}
