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

  /// Every member is heard, and what they say together is what the recipe makes of a single face.
  @Test func aRecipesNetworksAnswerTogether() throws {
    try Paths.withTemporaryFolder { folder in
      let recipe = try Recipe(
        yaml: """
          name: pair
          members:
            - {name: small, architecture: efficientnet-lite0, weights: default, size: 96, weight: 3}
            - {name: large, architecture: efficientnet-lite0, weights: default, size: 160}
          aggregation:
            calibration: {scale: 1.5, offset: -0.25}
            clip: [0.05, 0.95]
          verdict:
            undecided: [0.05, 0.95]
          """, file: "pair")
      let file = folder.appendingPathComponent("a.png")
      try ImageFile.write(.plain(120, 120, grey: 90), to: file)
      let missing = folder.appendingPathComponent("none.png").path
      let job = try ClassificationJob(
        recipe: recipe, weights: MemberFiles([], members: recipe.members))
      var reports: [ClassificationReport] = []
      let outcome = job.run(MediaFiles.expand([file.path, missing], kinds: [.image])) {
        reports.append($0)
      }
      #expect(outcome.failures == 1 && reports.count == 2)
      let report = try #require(reports.first { $0.error == nil })
      #expect(report.members.map(\.name) == ["small", "large"] && report.logits.isEmpty)
      let scores = report.members.compactMap(\.probability)
      let mean = (3 * scores[0] + scores[1]) / 4
      let expected = min(
        max(
          try #require(LogitCalibration(scale: 1.5, offset: -0.25)).probability(of: mean), 0.05),
        0.95)
      expectClose([try #require(report.probability)], [expected], tolerance: 1e-5)
      #expect(report.verdict?.answer == .undecided)
      // The sizes differ, and so do the scores.
      #expect(scores[0] != scores[1])
      // The same through the predictor's ensemble.
      let ensemble = try recipe.ensemble(
        of: MemberFiles([], members: recipe.members).members())
      let assessed = try ensemble.assess([try ImageFile.read(file)]).probability
      expectClose([assessed], [expected], tolerance: 1e-5)
      #expect(reports.table().contains("small") && reports.table().contains("too close to 0.5"))
    }
  }
}
