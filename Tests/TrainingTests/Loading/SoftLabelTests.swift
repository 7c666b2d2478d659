import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import Measures
import MediaIO
import TestSupport
import Testing
import Training

/// A teacher's probabilities as targets of training.
@Suite struct SoftLabelTests {
  /// Eight pictures: real and fake by turns, the last four with a teacher's probability.
  private func withPictures(_ body: (URL, FaceManifest) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      var rows = "path,label,video,original,time,probability\n"
      let probabilities = ["", "", "", "", "0.03", "0.98", "0.25", "0.5"]
      for index in 0..<8 {
        let image = wavyPicture(40, 40, phase: Float(index * 5))
        try ImageFile.write(image, to: folder.appendingPathComponent("\(index).png"))
        rows +=
          index % 2 == 0
          ? "\(index).png,REAL,v\(index),,0," : "\(index).png,FAKE,,v\(index - 1),0,"
        rows += probabilities[index] + "\n"
      }
      try Data(rows.utf8).write(to: folder.appendingPathComponent("manifest.csv"))
      try body(folder, try FaceManifest.read(folder))
    }
  }

  private static let targets: [Float] = [0, 1, 0, 1, 0.03, 0.98, 0.25, 0.5]

  private func batch(_ manifest: FaceManifest, mixup: Mixup? = nil) throws -> FaceBatch {
    var options = FaceLoader.Options(batchSize: 32, input: InputSpec(size: 24))
    options.augmentation = Augmentation([], mixup: mixup)
    options.seed = 5
    let order = Array(0..<manifest.count)
    return try #require(try FaceLoader(manifest, order: order, options).next())
  }

  @Test func batchesHaveTheProbabilitiesAsTargets() throws {
    try withPictures { _, manifest in
      let batch = try batch(manifest)
      #expect(batch.labels.scalars == Self.targets)
    }
  }

  @Test func mixupMixesThem() throws {
    try withPictures { _, manifest in
      let mixed = try batch(manifest, mixup: Mixup(alpha: 1)).labels.scalars
      #expect(mixed != Self.targets)
      #expect(abs(mixed.reduce(0, +) - Self.targets.reduce(0, +)) < 1e-5)
      // A fake of which the original is there is mixed with it: its target is between the two.
      let paired = try batch(manifest, mixup: Mixup(alpha: 1, partner: .original)).labels.scalars
      for real in [0, 2, 4, 6] {
        let ends = Self.targets[real]...Self.targets[real + 1]
        #expect(paired[real] == Self.targets[real])
        #expect(ends.contains(paired[real + 1]), "\(paired)")
      }
      #expect(paired[1] < 1 && paired[5] < 0.98)
    }
  }

  @Test func aFakeThatIsMadeIsAFakeWhateverTheTeacherSays() throws {
    var sample = FaceSample(path: "a.png", label: .real)
    sample.landmarks = facePoints()
    sample.probability = 0.04
    sample.teacher = "t"
    let whole = FaceManifest([sample]).withMadeFakes()
    #expect(whole.count == 2 && whole.samples[0] == FaceManifest([sample]).samples[0])
    #expect(whole.samples[1].target == 1 && whole.samples[1].probability == nil)
    #expect(whole.samples[1].teacher == nil)
  }

  /// -(t log p + (1 - t) log(1 - p)), with smoothing and weights, and its gradient, by the formula
  /// in double precision.
  @Test func theLossIsTheFormulas() throws {
    try withPictures { _, manifest in
      let targets = try batch(manifest).labels
      let logits: [Float] = [-2.5, 0.3, 4, -0.7, 0, 1.5, -30, 12]
      for (smoothing, weight) in [(0, 1), (0.1, 1), (0.03, 2.5)] as [(Float, Float)] {
        var options = LossOptions()
        options.labelSmoothing = smoothing
        options.kind = .bce(fakeWeight: weight == 1 ? nil : weight)
        let terms = zip(logits, targets.scalars).map { x, t in
          let soft = Double(t) * (1 - Double(smoothing)) + Double(smoothing) / 2
          let p = 1 / (1 + exp(-Double(x)))
          let q = 1 / (1 + exp(Double(x)))
          let loss = -(Double(weight) * soft * log(p) + (1 - soft) * log(q))
          return (loss, (1 - soft) * p - Double(weight) * soft * q)
        }
        let (loss, gradients) = valueAndGrad(at: [Tensor(logits, shape: [8, 1])]) {
          options($0[0], targets)
        }
        let expected = terms.reduce(0) { $0 + $1.0 } / 8
        expectClose([loss], [Float(expected)], tolerance: 1e-6)
        expectClose(gradients[0].scalars, terms.map { Float($0.1 / 8) }, tolerance: 1e-6)
      }
    }
  }

  @Test func nothingIsValidatedOnThem() throws {
    try Paths.withTemporaryFolder { folder in
      let known = try MadeUpFaces.write(folder)
      let samples = known.samples.enumerated().map { index, sample in
        var sample = sample
        if index % 3 == 0 { sample.probability = 0.5 }
        return sample
      }
      let data = FaceManifest(samples)
      let trainer = Trainer(TinyNetwork.trainable(), TrainerTests.plain)
      var counts: (Int, Int)?
      let run = RunFolder(folder.appendingPathComponent("run"))
      _ = try trainer.run(training: data, validation: data, in: run) { event in
        if case .begins(let outline) = event {
          counts = (outline.trainingSamples, outline.validationSamples)
        }
      }
      #expect(counts?.0 == 32 && counts?.1 == 21)
      // The probabilities belong to what a resumed run must find again.
      let changed = FaceManifest(
        samples.map { sample in
          var sample = sample
          sample.probability = sample.probability.map { _ in 0.75 }
          return sample
        })
      var longer = trainer
      longer.options.epochs = 2
      let error = #expect(throws: TrainingError.self) {
        try longer.run(training: changed, validation: data, in: run, resuming: true)
      }
      #expect(error?.description.contains("training data") == true, "\(error as Any)")
      let all = FaceManifest(
        samples.map { sample in
          var sample = sample
          sample.probability = 0.9
          return sample
        })
      let empty = #expect(throws: TrainingError.self) {
        try trainer.run(
          training: data, validation: all, in: RunFolder(folder.appendingPathComponent("other")))
      }
      #expect(empty?.description.contains("no sample with a known label") == true)
    }
  }
}
