import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import MediaIO
import TestSupport
import Testing
import Training

/// Crops with later ones: both are changed alike, and the network gets the difference.
@Suite struct MotionLoadingTests {
  private static let input = InputSpec(
    size: 24, difference: .init(seconds: 0.04, channels: .rgb))

  /// Real and fake samples by turns, in a folder for the time that `body` runs. The later crop of
  /// sample i is that of `later(i)`.
  private func withPictures(
    _ count: Int, later: (Int, Image) -> Image?, _ body: (URL, FaceManifest) throws -> Void
  ) throws {
    try Paths.withTemporaryFolder { folder in
      var samples: [FaceSample] = []
      for index in 0..<count {
        let image = wavyPicture(64, 48, phase: Float(index * 5))
        let file = folder.appendingPathComponent("\(index).png")
        try ImageFile.write(image, to: file)
        var sample = FaceSample(
          path: "\(index).png", file: file, label: index % 2 == 0 ? .real : .fake)
        sample.landmarks = uprightLandmarks
        sample.video = "v\(index)"
        sample.original = index % 2 == 0 ? nil : "v\(index - 1)"
        if let picture = later(index, image) {
          let url = folder.appendingPathComponent("\(index)b.png")
          try ImageFile.write(picture, to: url)
          sample.later = url
        }
        samples.append(sample)
      }
      try body(folder, FaceManifest(samples))
    }
  }

  /// The images of all batches: the crops, and the differences.
  private func load(
    _ manifest: FaceManifest, _ augmentation: Augmentation = .none,
    _ change: (inout FaceLoader.Options) -> Void = { _ in }
  ) throws -> [(crops: Tensor, differences: Tensor)] {
    var options = FaceLoader.Options(batchSize: 4, input: Self.input)
    options.augmentation = augmentation
    options.seed = 3
    change(&options)
    let loader = FaceLoader(manifest, order: Array(0..<manifest.count), options)
    var found: [(crops: Tensor, differences: Tensor)] = []
    while let batch = try loader.next() {
      #expect(batch.images.shape[3] == 6)
      found.append(
        (batch.images.slice(axis: 3, 0..<3), batch.images.slice(axis: 3, 3..<6)))
    }
    return found
  }

  @Test func theDifferenceIsThatOfTheFittedCrops() throws {
    let other = wavyPicture(64, 48, phase: 77)
    try withPictures(5, later: { index, _ in index == 2 ? nil : other }) { folder, manifest in
      let found = try load(manifest)
      #expect(found.map(\.crops.shape[0]) == [4, 1])
      let crops = try (0..<5).map { index in
        MotionCrop(
          try ImageFile.read(folder.appendingPathComponent("\(index).png")),
          later: index == 2 ? nil : other)
      }
      let expected = Self.input.prepare(crops)
      #expect(
        found.flatMap(\.crops.scalars) == expected.slice(axis: 3, 0..<3).scalars)
      #expect(
        found.flatMap(\.differences.scalars) == expected.slice(axis: 3, 3..<6).scalars)
      // The sample without a later crop does not move.
      let still = found[0].differences.slice(axis: 0, 2..<3)
      #expect(still.scalars.allSatisfy { $0 == 0 })
    }
  }

  /// Whatever is drawn is drawn alike: where the later crop is the crop itself, nothing moves.
  @Test func bothCropsAreChangedAlike() throws {
    var silver = Augmentation.silver
    silver.mixup = Mixup(alpha: 1, partner: .original)
    var strong = Augmentation.strong
    strong.mixup = Mixup(alpha: 1, partner: .batch)
    let holes = Augmentation([
      .init(Cutout()), .init(LandmarkCutout()), .init(Noise()), .init(JPEGCompression()),
      .init(Downscale()), .init(MotionBlur()),
    ])
    try withPictures(8, later: { $1 }) { _, manifest in
      for augmentation in [silver, strong, holes] {
        for epoch in 0..<3 {
          let found = try load(manifest, augmentation) { $0.epoch = epoch }
          #expect(found.flatMap(\.differences.scalars).allSatisfy { $0 == 0 })
        }
        // The crops are those of a network without a difference.
        var options = FaceLoader.Options(batchSize: 4, input: InputSpec(size: 24))
        options.augmentation = augmentation
        options.seed = 3
        let loader = FaceLoader(manifest, order: Array(0..<8), options)
        var plain: [Float] = []
        while let batch = try loader.next() { plain += batch.images.scalars }
        #expect(try load(manifest, augmentation).flatMap(\.crops.scalars) == plain)
      }
    }
  }

  @Test func madeFakesMoveAsTheFaceDoes() throws {
    for donor in [Float(0), 1] {
      try withPictures(6, later: { $1 }) { _, manifest in
        let whole = manifest.withMadeFakes()
        #expect(whole.count > manifest.count)
        let found = try load(whole, .strong) {
          $0.blending.donor = donor
          $0.changesTones = true
        }
        #expect(found.flatMap(\.differences.scalars).allSatisfy { $0 == 0 }, "\(donor)")
      }
    }
    // A face that moves moves in the fake, too.
    let other = wavyPicture(64, 48, phase: 60)
    try withPictures(6, later: { _, _ in other }) { _, manifest in
      let found = try load(manifest.withMadeFakes())
      #expect(found.flatMap(\.differences.scalars).contains { abs($0) > 0.1 })
    }
  }

  @Test func picturesOfTwoSizesAreRefused() throws {
    try withPictures(2, later: { _, _ in wavyPicture(64, 47) }) { _, manifest in
      let error = #expect(throws: DatasetError.self) { try load(manifest) }
      #expect(error?.description.contains("64x47") == true)
      #expect(error?.description.contains("cut by the same box") == true)
      // A network without a difference does not read them.
      var options = FaceLoader.Options(batchSize: 2, input: InputSpec(size: 24))
      options.seed = 1
      let batch = try FaceLoader(manifest, order: [0, 1], options).next()
      #expect(batch?.images.shape[3] == 3)
    }
  }
}
