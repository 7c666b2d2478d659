import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import Measures
import MediaIO
import TestSupport
import Testing
import Training

/// A network that can only win by motion.
@Suite struct MotionTrainingTests {
  /// Noise: every crop and every later crop has the same distribution. Of a fake, both are equal up
  /// to little noise; of a real face, they are two draws. So no single picture tells the label.
  private func write(_ folder: URL, count: Int = 40) throws -> FaceManifest {
    var lines = ["path,label,video,split,later"]
    for label in FaceLabel.allCases {
      for index in 0..<count {
        let name = "\(label.word.lowercased())\(index)"
        func picture(_ draw: String) -> Image {
          var generator = SeededGenerator(seed: 7, label: "\(name) \(draw)")
          return Image(width: 16, height: 16) { pixels in
            for i in pixels.indices { pixels[i] = UInt8(truncatingIfNeeded: generator.next()) }
          }
        }
        let first = picture("first")
        try ImageFile.write(first, to: folder.appendingPathComponent("\(name).png"))
        try ImageFile.write(
          label == .fake ? first : picture("second"),
          to: folder.appendingPathComponent("\(name)b.png"))
        let part = index % 4 == 3 ? "validation" : "train"
        lines.append("\(name).png,\(label.word),\(name),\(part),\(name)b.png")
      }
    }
    try Data((lines.joined(separator: "\n") + "\n").utf8)
      .write(to: folder.appendingPathComponent("manifest.csv"))
    return try FaceManifest.read(folder)
  }

  private func network(_ difference: InputSpec.Difference?) -> TrainableNetwork {
    let input = InputSpec(
      size: 16, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], difference: difference)
    return TrainableNetwork(input: input) {
      TinyNetwork.make(inputs: input.channelCount)
    }
  }

  private var options: TrainingOptions {
    var options = TrainingOptions()
    options.epochs = 14
    options.batchSize = 10
    options.optimizer.learningRate = 0.01
    options.augmentation = .none
    return options
  }

  @Test func motionIsLearnedWhereNothingElseTellsTheLabel() throws {
    try Paths.withTemporaryFolder { folder in
      let data = try HoldOut().split(try write(folder))
      var accuracies: [Float] = []
      let choices: [InputSpec.Difference?] = [
        nil, .init(seconds: 0.1), .init(seconds: 0.1, channels: .rgb),
      ]
      for (index, difference) in choices.enumerated() {
        let result = try Trainer(network(difference), options).run(
          training: data.training, validation: data.heldOut,
          in: RunFolder(folder.appendingPathComponent("run\(index)")))
        accuracies.append(Float(try #require(result.epochs.last?.frames).accuracy))
      }
      #expect(accuracies[0] < 0.8, "single crops: \(accuracies)")
      #expect(accuracies[1] >= 0.95 && accuracies[2] >= 0.95, "\(accuracies)")
    }
  }

  @Test func dataWithoutLaterCropsIsRefused() throws {
    try Paths.withTemporaryFolder { folder in
      let manifest = try write(folder, count: 4)
      func run(_ samples: [FaceSample]) throws {
        _ = try Trainer(network(.init(seconds: 0.1)), options).run(
          training: FaceManifest(samples), validation: nil,
          in: RunFolder(folder.appendingPathComponent("run")))
      }
      let none = manifest.samples.map { sample in
        var sample = sample
        sample.later = nil
        return sample
      }
      let error = #expect(throws: TrainingError.self) { try run(none) }
      #expect(error?.description.contains("dfkit extract --difference") == true)
      // Only one label with motion would tell the labels apart.
      let half = manifest.samples.map { sample in
        var sample = sample
        if sample.label == .fake { sample.later = nil }
        return sample
      }
      let other = #expect(throws: TrainingError.self) { try run(half) }
      #expect(other?.description.contains("no FAKE sample") == true)
    }
  }
}
