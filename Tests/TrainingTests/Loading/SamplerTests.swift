import FaceData
import Measures
import TestSupport
import Testing
import Training

@Suite struct SamplerTests {
  /// Few fakes; people with one video or many, videos with one frame or many.
  private let manifest: FaceManifest = {
    var samples: [FaceSample] = []
    for person in 0..<4 {
      for video in 0...person {
        for frame in 0..<(video == 0 ? 20 : 3) {
          var sample = FaceSample(
            path: "\(person)/\(video)/\(frame)", label: frame % 4 == 1 ? .fake : .real)
          sample.person = "p\(person)"
          sample.video = "v\(person) \(video)"
          samples.append(sample)
        }
      }
    }
    return FaceManifest(samples)
  }()

  @Test(arguments: Sampler.Order.allCases) func dependsOnSeedAndEpochAlone(
    _ order: Sampler.Order
  ) throws {
    let sampler = try Sampler(manifest, order: order, seed: 7)
    let first = sampler.indices(epoch: 3)
    #expect(first == sampler.indices(epoch: 3))
    #expect(first.count == sampler.epochLength)
    #expect(first.allSatisfy { (0..<manifest.count).contains($0) })
    #expect(try Sampler(manifest, order: order, seed: 7).indices(epoch: 3) == first)
    let differs = order != .sequential
    #expect((sampler.indices(epoch: 4) != first) == differs)
    #expect((try Sampler(manifest, order: order, seed: 8).indices(epoch: 3) != first) == differs)
  }

  @Test func showsEverySampleOnceWhenShuffled() throws {
    for order in [Sampler.Order.shuffled, .sequential] {
      let indices = try Sampler(manifest, order: order, seed: 1).indices(epoch: 0)
      #expect(indices.sorted() == Array(0..<manifest.count))
      #expect((indices == Array(0..<manifest.count)) == (order == .sequential))
    }
  }

  @Test func balancesTheLabels() throws {
    let sampler = try Sampler(manifest, order: .balanced, seed: 1)
    var shown = Array(repeating: 0, count: manifest.count)
    for epoch in 0..<30 {
      let indices = sampler.indices(epoch: epoch)
      for index in indices { shown[index] += 1 }
      // Every two samples are one of each, so every even batch is balanced.
      for start in stride(from: 0, to: indices.count, by: 2) {
        #expect(manifest.label(indices[start]) != manifest.label(indices[start + 1]))
      }
      let fakesFirst = stride(from: 0, to: indices.count, by: 2).count {
        manifest.label(indices[$0]) == .fake
      }
      #expect(fakesFirst > 0 && fakesFirst < indices.count / 2)
    }
    for label in FaceLabel.allCases {
      let counts = shown.indices.filter { manifest.label($0) == label }.map { shown[$0] }
      // Equally often, but for the pass that is not over.
      #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
    }
  }

  @Test(arguments: [false, true]) func pairsFakesWithTheirOriginals(_ makesFakes: Bool) throws {
    var samples: [FaceSample] = []
    func add(_ name: String, _ label: FaceLabel, video: String? = nil, original: String? = nil) {
      var sample = FaceSample(path: name, label: label)
      (sample.video, sample.original) = (video, original)
      sample.landmarks = uprightLandmarks
      samples.append(sample)
    }
    for number in 0..<12 { add("real \(number)", .real, video: "v\(number)") }
    // Of the first four videos, a fake each; of the first, two; and fakes of which nothing is
    // known.
    for number in 0..<4 {
      add("fake \(number)", .fake, video: "f\(number)", original: "v\(number)")
    }
    add("second fake 0", .fake, video: "f4", original: "v0")
    for number in 0..<3 { add("stray \(number)", .fake) }
    var manifest = FaceManifest(samples)
    if makesFakes { manifest = manifest.withMadeFakes() }
    let sampler = try Sampler(manifest, order: .pairs, madeShare: 0.3, seed: 5)
    var partners: [String: Set<String>] = [:]
    for epoch in 0..<40 {
      let indices = sampler.indices(epoch: epoch)
      #expect(indices.count == sampler.epochLength)
      for start in stride(from: 0, to: indices.count, by: 2) {
        let pair = indices[start..<start + 2].map { manifest.samples[$0] }
        let fake = try #require(pair.first { $0.label == .fake })
        let real = try #require(pair.first { $0.label == .real })
        if fake.isMade {
          #expect(fake.path == real.path)
        } else {
          partners[fake.path, default: []].insert(real.path)
        }
      }
    }
    for number in 0..<4 { #expect(partners["fake \(number)"] == ["real \(number)"]) }
    #expect(partners["second fake 0"] == ["real 0"])
    // Real faces that are nobody's original go with the others, all of them in time.
    let strays = (0..<3).reduce(into: Set<String>()) { $0.formUnion(partners["stray \($1)"] ?? []) }
    #expect(strays == Set((4..<12).map { "real \($0)" }))
  }

  @Test func drawsPeopleThenVideosThenFramesEquallyOften() throws {
    let sampler = try Sampler(manifest, order: .people, seed: 1)
    var people: [String: Double] = [:]
    var videos: [String: Double] = [:]
    var frames: [String: Double] = [:]
    var total = 0.0
    for epoch in 0..<400 {
      for index in sampler.indices(epoch: epoch) where manifest.label(index) == .real {
        let sample = manifest.samples[index]
        people[sample.person ?? "", default: 0] += 1
        videos[sample.video ?? "", default: 0] += 1
        frames[sample.path, default: 0] += 1
        total += 1
      }
    }
    // About 10,000 draws; the bounds are more than five deviations wide.
    #expect(total == 400 * Double(manifest.count / 2))
    for share in people.values { #expect(abs(share / total - 0.25) < 0.025) }
    for video in 0..<4 {
      #expect(abs((videos["v3 \(video)"] ?? 0) / total - 0.0625) < 0.015)
    }
    #expect(abs((frames["3/1/0"] ?? 0) / total - 0.0625 / 2) < 0.01)
    #expect(abs((frames["0/0/0"] ?? 0) / total - 0.25 / 15) < 0.008)
  }

  @Test func dividesTheWork() throws {
    for order in Sampler.Order.allCases {
      let whole = try Sampler(manifest, order: order, seed: 5).indices(epoch: 2)
      var parts: [[Int]] = []
      for rank in 0..<3 {
        let sampler = try Sampler(manifest, order: order, seed: 5, rank: rank, processes: 3)
        parts.append(sampler.indices(epoch: 2))
        #expect(parts[rank].count == whole.count / 3)
        #expect(sampler.epochLength == whole.count / 3)
      }
      let together = parts[0].indices.flatMap { place in parts.map { $0[place] } }
      #expect(together == Array(whole.prefix(together.count)))
    }
  }

  @Test func needsBothLabelsToBalance() throws {
    let real = FaceManifest((0..<4).map { FaceSample(path: "\($0)", label: .real) })
    for order in [Sampler.Order.balanced, .people] {
      #expect(throws: DatasetError.self) { try Sampler(real, order: order, seed: 0) }
    }
    #expect(try Sampler(real, order: .shuffled, seed: 0).indices(epoch: 0).count == 4)
  }
}
