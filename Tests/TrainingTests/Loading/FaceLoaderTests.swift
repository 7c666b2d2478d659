import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import MediaIO
import TestSupport
import Testing
import Training

@Suite struct FaceLoaderTests {
  /// Pictures of several sizes in a folder, real and fake by turns, for the time that `body` runs.
  private func withPictures(
    _ count: Int, _ body: (URL, FaceManifest) throws -> Void
  ) throws {
    try Paths.withTemporaryFolder { folder in
      var rows = "path,label,video,original\n"
      for index in 0..<count {
        let name = "\(index).\(index % 3 == 0 ? "png" : "jpg")"
        let image = wavyPicture(30 + index % 5 * 10, 40, phase: Float(index * 5))
        try ImageFile.write(image, to: folder.appendingPathComponent(name))
        rows += index % 2 == 0 ? "\(name),REAL,v\(index),\n" : "\(name),FAKE,,v\(index - 1)\n"
      }
      try Data(rows.utf8).write(to: folder.appendingPathComponent("manifest.csv"))
      try body(folder, try FaceManifest.read(folder))
    }
  }

  /// All batches of a loader.
  private func batches(_ loader: FaceLoader) throws -> [FaceBatch] {
    var batches: [FaceBatch] = []
    while let batch = try loader.next() { batches.append(batch) }
    return batches
  }

  private func options(
    _ batchSize: Int, augmentation: Augmentation = .none
  ) -> FaceLoader.Options {
    var options = FaceLoader.Options(batchSize: batchSize, input: InputSpec(size: 24))
    options.augmentation = augmentation
    options.seed = 3
    return options
  }

  @Test func loadsInOrder() throws {
    try withPictures(11) { folder, manifest in
      let order = [4, 0, 10, 3, 3, 7, 1]
      let loader = FaceLoader(manifest, order: order, options(3))
      #expect(loader.batchCount == 3)
      let found = try batches(loader)
      #expect(found.map(\.indices) == [[4, 0, 10], [3, 3, 7], [1]])
      #expect(found.map(\.end) == [3, 6, 7])
      #expect(found[0].images.shape == [3, 24, 24, 3] && found[2].images.shape == [1, 24, 24, 3])
      #expect(found[1].labels.scalars == [1, 1, 1] && found[0].labels.scalars == [0, 0, 0])
      let picture = try ImageFile.read(folder.appendingPathComponent("4.jpg"))
      #expect(
        Array(found[0].images.scalars.prefix(24 * 24 * 3))
          == InputSpec(size: 24).prepare([picture]).scalars)
      #expect(try loader.next()?.indices == nil)
    }
  }

  @Test func makesTheSameBatchesWithAnyNumberOfThreads() throws {
    try withPictures(14) { _, manifest in
      for partner in Mixup.Partner.allCases {
        var augmentation = Augmentation.strong
        augmentation.mixup = Mixup(alpha: 1, partner: partner)
        let order = try Sampler(manifest, order: .balanced, seed: 1).indices(epoch: 0)
        var found: [[FaceBatch]] = []
        for (threads, ahead) in [(1, 1), (3, 1), (4, 5)] {
          var options = options(4, augmentation: augmentation)
          options.threads = threads
          options.ahead = ahead
          found.append(try batches(FaceLoader(manifest, order: order, options)))
        }
        for other in found.dropFirst() {
          #expect(other.map(\.images.scalars) == found[0].map(\.images.scalars))
          #expect(other.map(\.labels.scalars) == found[0].map(\.labels.scalars))
        }
        // The epoch and the seed count.
        var options = options(4, augmentation: augmentation)
        options.epoch = 1
        let next = try batches(FaceLoader(manifest, order: order, options))
        #expect(next.map(\.images.scalars) != found[0].map(\.images.scalars))
      }
    }
  }

  @Test func goesOnWhereARunWasStopped() throws {
    try withPictures(10) { _, manifest in
      var options = options(3, augmentation: .strong)
      options.augmentation.mixup = Mixup(alpha: 1)
      let order = Array(0..<10)
      let whole = try batches(FaceLoader(manifest, order: order, options))
      options.start = whole[0].end
      let rest = try batches(FaceLoader(manifest, order: order, options))
      #expect(rest.map(\.images.scalars) == whole.dropFirst().map(\.images.scalars))
      #expect(rest.map(\.labels.scalars) == whole.dropFirst().map(\.labels.scalars))
      options.start = 10
      #expect(try batches(FaceLoader(manifest, order: order, options)).isEmpty)
    }
  }

  @Test func leavesOutWhatDoesNotFillABatch() throws {
    try withPictures(8) { _, manifest in
      var options = options(3)
      options.dropsLast = true
      let found = try batches(FaceLoader(manifest, order: Array(0..<8), options))
      #expect(found.map(\.indices) == [[0, 1, 2], [3, 4, 5]])
    }
  }

  @Test func stopsAtABrokenPicture() throws {
    try withPictures(9) { folder, manifest in
      let whole = try Data(contentsOf: folder.appendingPathComponent("4.jpg"))
      try whole.prefix(whole.count / 2).write(to: folder.appendingPathComponent("4.jpg"))
      try FileManager.default.removeItem(at: folder.appendingPathComponent("7.jpg"))
      let loader = FaceLoader(manifest, order: Array(0..<9), options(2))
      #expect(try loader.next()?.indices == [0, 1])
      #expect(try loader.next()?.indices == [2, 3])
      let error = failure { () throws(DatasetError) in try loader.next() }
      guard case .picture(.truncated(let file, _)) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(file.hasSuffix("4.jpg"))
      #expect(try loader.next()?.indices == nil)
    }
  }

  @Test func skipsBrokenPicturesWhereAsked() throws {
    try withPictures(9) { folder, manifest in
      for name in ["2.jpg", "5.jpg"] {
        try Data("no picture".utf8).write(to: folder.appendingPathComponent(name))
      }
      try FileManager.default.removeItem(at: folder.appendingPathComponent("4.jpg"))
      var options = options(2)
      options.skipsBroken = true
      let loader = FaceLoader(manifest, order: [0, 2, 1, 3, 4, 5, 6], options)
      let first = try #require(try loader.next())
      #expect(first.indices == [0] && first.images.shape[0] == 1 && first.end == 2)
      #expect(first.skipped.map(\.index) == [2])
      let message = try #require(first.skipped.first).error.description
      #expect(message.contains("picture format is not supported"))
      #expect(try loader.next()?.skipped.isEmpty == true)
      let empty = try #require(try loader.next())
      #expect(empty.indices.isEmpty && empty.images.shape == [0, 24, 24, 3] && empty.end == 6)
      #expect(empty.skipped.map(\.index) == [4, 5])
      #expect(try loader.next()?.indices == [6])
    }
  }

  @Test func endsWhenNobodyTakesItsBatches() throws {
    try withPictures(6) { _, manifest in
      let order = (0..<600).map { $0 % 6 }
      for round in 0..<20 {
        let loader = FaceLoader(manifest, order: order, options(2))
        if round % 2 == 0 {
          let first = try loader.next()
          #expect(first?.indices == [0, 1])
        }
        if round % 3 == 0 {
          loader.stop()
          let none = try loader.next()
          #expect(none?.indices == nil)
        }
      }
    }
  }

  @Test func mixesWithinTheBatch() throws {
    try withPictures(8) { _, manifest in
      var mixed = options(8)
      mixed.augmentation = Augmentation([], mixup: Mixup(alpha: 1))
      let batch = try #require(try FaceLoader(manifest, order: Array(0..<8), mixed).next())
      let plain = try #require(try FaceLoader(manifest, order: Array(0..<8), options(8)).next())
      // Real 0 and fake 1 by turns: what is mixed of each keeps the sum.
      #expect(abs(batch.labels.scalars.reduce(0, +) - 4) < 1e-5)
      let shares = Set(batch.labels.scalars.map { ($0 * 1000).rounded() })
      #expect(shares.count > 2 && shares.count <= 4)
      let means = [batch, plain].map { $0.images.scalars.reduce(0, +) / Float($0.images.count) }
      #expect(abs(means[0] - means[1]) < 0.01)
    }
  }

  @Test func mixesAFakeWithItsOriginal() throws {
    try withPictures(8) { _, manifest in
      // By name there is no match, and no times are known: nothing is mixed.
      var options = options(8)
      options.augmentation = Augmentation([], mixup: Mixup(alpha: 1, partner: .original))
      let order = Array(0..<8)
      let unmatched = try #require(try FaceLoader(manifest, order: order, options).next())
      #expect(unmatched.labels.scalars == [0, 1, 0, 1, 0, 1, 0, 1])
      let timed = FaceManifest(
        manifest.samples.map { sample in
          var sample = sample
          sample.time = 1.5
          return sample
        })
      let batch = try #require(try FaceLoader(timed, order: order, options).next())
      let labels = batch.labels.scalars
      for index in order {
        #expect(index % 2 == 0 ? labels[index] == 0 : labels[index] > 0 && labels[index] < 1)
      }
      let plain = try #require(try FaceLoader(manifest, order: order, self.options(8)).next())
      let size = 24 * 24 * 3
      let (mixed, own) = (batch.images.scalars, plain.images.scalars)
      let expected = (0..<size).map {
        labels[1] * own[size + $0] + (1 - labels[1]) * own[$0]
      }
      // Mixed in bytes: half a level of 255 off, in units of the standard deviation.
      expectClose(Array(mixed[size..<2 * size]), expected, tolerance: 0.01)
    }
  }
}
