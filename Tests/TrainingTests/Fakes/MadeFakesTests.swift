import Classifiers
import DeepfakeCore
import FaceData
import FaceDetect
import Foundation
import Measures
import MediaIO
import TestSupport
import Testing
import Training

@Suite struct MadeFakesTests {
  /// Samples of several people; every third real one has no landmarks, and one has unusable ones.
  private func samples(real: Int, fake: Int) -> [FaceSample] {
    var samples: [FaceSample] = []
    for index in 0..<real {
      var sample = FaceSample(path: "r\(index)", label: .real)
      sample.person = "p\(index % 5)"
      sample.video = "v\(index % 7)"
      sample.landmarks = index % 3 == 0 ? nil : facePoints()
      if index == 4 { sample.landmarks = facePoints().map { _ in Point(x: 1, y: 1) } }
      samples.append(sample)
    }
    for index in 0..<fake {
      var sample = FaceSample(path: "f\(index)", label: .fake)
      sample.person = "p\(index % 5)"
      sample.video = "w\(index % 3)"
      sample.landmarks = facePoints()
      samples.append(sample)
    }
    return samples
  }

  @Test func onlyRealSamplesWithLandmarksAreMadeIntoFakes() {
    let manifest = FaceManifest(samples(real: 30, fake: 9))
    let whole = manifest.withMadeFakes()
    #expect(!manifest.hasMadeFakes && whole.hasMadeFakes)
    #expect(whole.count == 39 + 19)
    #expect(Array(whole.samples.prefix(39)) == Array(manifest.samples))
    for sample in whole.samples.dropFirst(39) {
      #expect(sample.isMade && sample.label == .fake)
      #expect(sample.landmarks == facePoints())
      #expect(sample.path.hasPrefix("r"))
      #expect(sample.original.map { "\($0) (made)" } == sample.video)
    }
    #expect(whole.withMadeFakes().count == whole.count)
  }

  /// How often an order shows real samples, fakes and made ones.
  private func counts(_ manifest: FaceManifest, _ order: [Int]) -> [Int] {
    var counts = [0, 0, 0]
    for index in order {
      counts[manifest.isMade(index) ? 2 : Int(manifest.label(index).rawValue)] += 1
    }
    return counts
  }

  @Test func sharesAreExact() throws {
    let whole = FaceManifest(samples(real: 60, fake: 41)).withMadeFakes()
    for order in [Sampler.Order.balanced, .people] {
      for share in [Float(0), 0.3, 0.5, 0.77, 1] {
        let sampler = try Sampler(whole, order: order, madeShare: share, seed: 2)
        #expect(sampler.epochLength == 100)
        var made = 0
        for epoch in 0..<5 {
          let found = counts(whole, sampler.indices(epoch: epoch))
          #expect(found[0] == 50 && found[1] + found[2] == 50)
          made += found[2]
          // To the nearest sample over all epochs.
          #expect(abs(Double(made) - Double(share) * 50 * Double(epoch + 1)) <= 0.501)
        }
        #expect(sampler.indices(epoch: 3) == sampler.indices(epoch: 3))
        #expect(sampler.indices(epoch: 3) != sampler.indices(epoch: 4))
      }
    }
    for order in [Sampler.Order.shuffled, .sequential] {
      for (share, fakes, made) in [(Float(0), 41, 0), (0.2, 41, 10), (0.5, 41, 39), (1, 0, 39)] {
        let sampler = try Sampler(whole, order: order, madeShare: share, seed: 2)
        let indices = sampler.indices(epoch: 1)
        #expect(counts(whole, indices) == [60, fakes, made])
        #expect(indices.count == sampler.epochLength)
        #expect(Set(indices).count == indices.count)
      }
    }
  }

  @Test func withoutFakesAllAreMade() throws {
    let whole = FaceManifest(samples(real: 30, fake: 0)).withMadeFakes()
    for order in [Sampler.Order.balanced, .people] {
      let sampler = try Sampler(whole, order: order, madeShare: 0.1, seed: 2)
      #expect(counts(whole, sampler.indices(epoch: 0)) == [30, 0, 30])
    }
    for order in [Sampler.Order.shuffled, .sequential] {
      let sampler = try Sampler(whole, order: order, madeShare: 0.1, seed: 2)
      #expect(counts(whole, sampler.indices(epoch: 0)) == [30, 0, 19])
    }
    #expect(throws: DatasetError.self) {
      try Sampler(FaceManifest(samples(real: 30, fake: 0)), order: .balanced, seed: 0)
    }
  }

  @Test func pairsAFaceWithTheFakeMadeOfIt() throws {
    let whole = FaceManifest(samples(real: 30, fake: 12)).withMadeFakes()
    let table = Array(whole.samples)
    for order in [Sampler.Order.balanced, .people] {
      let indices = try Sampler(whole, order: order, madeShare: 0.5, seed: 1).indices(epoch: 0)
      for place in stride(from: 0, to: indices.count, by: 2) {
        let pair = [table[indices[place]], table[indices[place + 1]]]
        let real = try #require(pair.first { $0.label == .real })
        let fake = try #require(pair.first { $0.label == .fake })
        let canBeMade = table.contains { $0.isMade && $0.path == real.path }
        if fake.isMade, canBeMade { #expect(fake.path == real.path) }
      }
      // The fakes that are there come equally often.
      if order == .balanced {
        let sampler = try Sampler(whole, order: order, madeShare: 0.5, seed: 1)
        var shown = [Int: Int]()
        for epoch in 0..<8 {
          for index in sampler.indices(epoch: epoch) where table[index].path.hasPrefix("f") {
            shown[index, default: 0] += 1
          }
        }
        #expect(Set(shown.values).count <= 2 && shown.count == 12)
      }
    }
  }

  /// Pictures in a folder, some with landmarks, for the time that `body` runs.
  private func withPictures(_ body: (FaceManifest) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      var samples: [FaceSample] = []
      for index in 0..<9 {
        let name = "\(index).png"
        let file = folder.appendingPathComponent(name)
        try ImageFile.write(wavyPicture(60, 60, phase: Float(index * 17)), to: file)
        var sample = FaceSample(path: name, file: file, label: index < 7 ? .real : .fake)
        sample.video = "v\(index)"
        sample.landmarks = index == 2 ? nil : facePoints(60)
        samples.append(sample)
      }
      try body(FaceManifest(samples).withMadeFakes())
    }
  }

  private func options(_ augmentation: Augmentation) -> FaceLoader.Options {
    var options = FaceLoader.Options(batchSize: 4, input: InputSpec(size: 24))
    options.augmentation = augmentation
    options.blending.donor = 0.5
    options.blending.softness = 0.5
    options.seed = 5
    return options
  }

  private func images(
    _ manifest: FaceManifest, _ order: [Int], _ options: FaceLoader.Options
  ) throws -> (images: [[Float]], labels: [Float]) {
    let loader = FaceLoader(manifest, order: order, options)
    var (images, labels): ([[Float]], [Float]) = ([], [])
    while let batch = try loader.next() {
      let scalars = batch.images.scalars
      let size = scalars.count / max(1, batch.indices.count)
      for number in batch.indices.indices {
        images.append(Array(scalars[number * size..<(number + 1) * size]))
      }
      labels += batch.labels.scalars
    }
    return (images, labels)
  }

  @Test func makesTheSameFakesWithAnyNumberOfThreads() throws {
    try withPictures { manifest in
      let order = Array(0..<manifest.count)
      #expect(manifest.count == 15)
      var options = options(.strong)
      options.threads = 1
      let first = try images(manifest, order, options)
      options.threads = 3
      options.ahead = 2
      let second = try images(manifest, order, options)
      #expect(first.images == second.images)
      #expect(first.labels == second.labels)
      #expect(Array(first.labels.suffix(6)) == [1, 1, 1, 1, 1, 1])
      options.epoch = 1
      #expect(try images(manifest, order, options).images != first.images)
    }
  }

  @Test func onlyTheFaceTellsAFakeFromTheRest() throws {
    try withPictures { manifest in
      var options = options(.none)
      options.changesTones = false
      let found = try images(manifest, Array(0..<15), options)
      // Those that are not made are as they are.
      let plain = manifest.subset(0..<9)
      #expect(
        Array(found.images.prefix(9)) == (try images(plain, Array(0..<9), options).images))
      for made in 9..<15 {
        let path = manifest.samples[made].path
        let real = try #require((0..<9).first { manifest.samples[$0].path == path })
        #expect(found.images[made] != found.images[real])
        let corner = { (index: Int) in Array(found.images[index].prefix(6)) }
        #expect(corner(made) == corner(real))
      }
      // Where tones change, they do so for real pictures too, and not without made fakes.
      options.changesTones = true
      let changed = try images(manifest, Array(0..<15), options)
      let count = (0..<9).count { changed.images[$0] != found.images[$0] }
      #expect((1...8).contains(count))
      #expect(
        try images(plain, Array(0..<9), options).images == Array(found.images.prefix(9)))
    }
  }

  @Test func mixesAFakeWithTheFaceThatItIsMadeOf() throws {
    try withPictures { manifest in
      var options = options(.none)
      let plain = try images(manifest, Array(0..<15), options)
      options.augmentation.mixup = Mixup(alpha: 1, partner: .original)
      let mixed = try images(manifest, Array(0..<15), options)
      // The corner is outside of every mask: there the fake and the face that it is made of,
      // changed alike, are the same, in whichever shares they are mixed.
      for made in 9..<15 {
        #expect(mixed.labels[made] < 1 && mixed.labels[made] > 0)
        expectClose(
          Array(mixed.images[made].prefix(6)), Array(plain.images[made].prefix(6)),
          tolerance: 0.005, "\(made)")
        #expect(mixed.images[made] != plain.images[made])
      }
      #expect(Array(mixed.labels.prefix(9)) == Array(plain.labels.prefix(9)))
    }
  }

  @Test func trainingGoesOnBitForBit() throws {
    try Paths.withTemporaryFolder { folder in
      let faces = try MadeUpFaces.write(folder)
      let marked = FaceManifest(
        faces.samples.map { sample in
          var sample = sample
          sample.landmarks = facePoints(16)
          return sample
        })
      let split = try HoldOut().split(marked)
      var options = TrainerTests.options
      options.epochs = 3
      options.sampling = .balanced
      options.fakes = FakeOptions()
      options.fakes?.blending.donor = 0.3
      options.fakes?.validate = true
      let (whole, parts) = (
        folder.appendingPathComponent("whole"), folder.appendingPathComponent("parts")
      )
      let first = try TrainerTests.run(whole, split, TinyNetwork.trainable(), options)
      #expect(throws: TrainerTests.Stop.self) {
        _ = try TrainerTests.run(parts, split, TinyNetwork.trainable(), options, every: 1) {
          if case .step(let progress) = $0 { progress.step == 5 } else { false }
        }
      }
      let second = try TrainerTests.run(
        parts, split, TinyNetwork.trainable(), options, resuming: true)
      #expect(
        try TrainerTests.bytes(whole, "last.safetensors")
          == TrainerTests.bytes(parts, "last.safetensors"))
      #expect(first.epochs.map(\.frames) == second.epochs.map(\.frames))
      // Options of another kind are another run.
      options.fakes?.share = 0.25
      #expect(throws: TrainingError.self) {
        _ = try TrainerTests.run(
          parts, split, TinyNetwork.trainable(), options, resuming: true)
      }
    }
  }

  @Test func realFacesAloneAreEnough() throws {
    try Paths.withTemporaryFolder { folder in
      let faces = try MadeUpFaces.write(folder)
      let real = faces.samples.filter { $0.label == .real }
      let split = try HoldOut().split(
        FaceManifest(
          real.map { sample in
            var sample = sample
            sample.landmarks = facePoints(16)
            return sample
          }))
      var options = TrainerTests.plain
      options.sampling = .balanced
      options.fakes = FakeOptions()
      let result = try TrainerTests.run(
        folder.appendingPathComponent("run"), split, TinyNetwork.trainable(), options)
      // Judged by made fakes: without them there is no area under the curve.
      #expect(result.epochs[0].frames?.auc != nil)
      #expect(result.epochs[0].images == 2 * split.training.count)
      let bare = try HoldOut().split(FaceManifest(real))
      #expect {
        _ = try TrainerTests.run(
          folder.appendingPathComponent("bare"), bare, TinyNetwork.trainable(), options)
      } throws: {
        "\($0)".contains("dfkit landmarks")
      }
    }
  }
}
