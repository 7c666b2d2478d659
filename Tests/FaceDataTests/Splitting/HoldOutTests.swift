import DeepfakeCore
import FaceData
import Foundation
import Measures
import TestSupport
import Testing

/// A sample of which only some things are known.
private func sample(
  _ path: String, _ label: FaceLabel, video: String? = nil, person: String? = nil,
  original: String? = nil, split: String? = nil
) -> FaceSample {
  var sample = FaceSample(path: path, label: label)
  sample.video = video
  sample.person = person
  sample.original = original
  sample.split = split
  return sample
}

@Suite struct HoldOutTests {
  /// What must never be on both sides of a split.
  private func expectNoLeak(_ split: DataSplit) {
    func words(_ manifest: FaceManifest) -> (people: Set<String>, videos: Set<String>) {
      let samples = manifest.samples
      return (
        Set(samples.compactMap(\.person)),
        Set(samples.compactMap(\.video)).union(samples.compactMap(\.original))
      )
    }
    let (training, heldOut) = (words(split.training), words(split.heldOut))
    #expect(training.people.isDisjoint(with: heldOut.people))
    #expect(training.videos.isDisjoint(with: heldOut.videos))
    let paths = Set(split.training.samples.map(\.path))
    #expect(paths.isDisjoint(with: split.heldOut.samples.map(\.path)))
    #expect(split.training.samples.allSatisfy { $0.video != nil })
  }

  @Test func neverPutsAPersonOrAVideoOnBothSides() throws {
    var generator = SeededGenerator(seed: 11)
    var taken = 0
    for round in UInt64(0)..<60 {
      // Videos of random people, fakes of some of them with other people's faces, things left out
      // at random.
      let people = 8 + Int(generator.next() % 40)
      let videos = people * 2
      let owners = (0..<videos).map { _ in Int(generator.next() % UInt64(people)) }
      var samples: [FaceSample] = []
      for index in 0..<(200 + Int(generator.next() % 400)) {
        let video = Int(generator.next() % UInt64(videos))
        let known = generator.next()
        let isFake = generator.uniform() < 0.5
        var item = FaceSample(path: "d\(video % 3)/f\(index).jpg", label: isFake ? .fake : .real)
        if known & 1 == 0 { item.person = "p\(owners[video])" }
        if known & 2 == 0 { item.video = isFake ? "fake of v\(video)" : "v\(video)" }
        if isFake && known & 4 == 0 { item.original = "v\(video)" }
        samples.append(item)
      }
      let manifest = FaceManifest(samples)
      var holdOut = HoldOut(fraction: 0.25, seed: round)
      holdOut.block = 10
      holdOut.margin = 3
      guard let split = try? holdOut.split(manifest) else { continue }
      taken += 1
      expectNoLeak(split)
      #expect(split.training.count + split.heldOut.count + split.leftOut == manifest.count)
      let again = try holdOut.split(manifest)
      #expect(again.heldOut.samples.map(\.path) == split.heldOut.samples.map(\.path))
    }
    #expect(taken > 40)
  }

  @Test func holdsOutAboutThePartAskedFor() throws {
    var samples: [FaceSample] = []
    for person in 0..<200 {
      for frame in 0..<(5 + person % 20) {
        samples.append(
          sample("\(person)/r\(frame)", .real, video: "v\(person)", person: "p\(person)"))
        if person % 2 == 0 {
          samples.append(
            sample("\(person)/f\(frame)", .fake, video: "f\(person)", original: "v\(person)"))
        }
      }
    }
    let manifest = FaceManifest(samples)
    for seed in UInt64(0)..<10 {
      let split = try HoldOut(fraction: 0.2, seed: seed).split(manifest)
      expectNoLeak(split)
      #expect(split.rule == .identity && split.leftOut == 0)
      for label in FaceLabel.allCases {
        let part = Double(split.heldOut.count(label)) / Double(manifest.count(label))
        #expect(abs(part - 0.2) < 0.03)
      }
    }
    let other = try HoldOut(seed: 1).split(manifest).heldOut.samples.map(\.path)
    #expect(try HoldOut(seed: 2).split(manifest).heldOut.samples.map(\.path) != other)
  }

  @Test func holdsOutWholeBlocksOfNeighbours() throws {
    // In random order in the file; by name, 20 neighbours are one video.
    var generator = SeededGenerator(seed: 5)
    let samples =
      (0..<2000).map { sample("real/frame\($0).jpg", .real) }
      + (0..<1200).map { sample("fake/frame\($0).jpg", .fake) }
    let manifest = FaceManifest(samples.shuffled(using: &generator))
    let split = try HoldOut(fraction: 0.2, seed: 3, block: 100, margin: 20).split(manifest)
    expectNoLeak(split)
    #expect(split.rule == .blocks)
    #expect(split.leftOut > 0 && split.leftOut < 300)
    func places(_ part: FaceManifest, _ label: FaceLabel) -> [Int] {
      part.samples.filter { $0.label == label }.compactMap {
        Int($0.path.drop { !$0.isNumber }.prefix { $0.isNumber })
      }.sorted()
    }
    for label in FaceLabel.allCases {
      let (training, heldOut) = (places(split.training, label), places(split.heldOut, label))
      #expect(abs(Double(heldOut.count) / Double(manifest.count(label)) - 0.2) < 0.06)
      #expect(heldOut.count % 100 == 0)
      let learned = Set(training)
      for place in heldOut {
        for near in place - 20...place + 20 { #expect(!learned.contains(near)) }
      }
    }
    // Groups to judge videos by, each of one block.
    #expect(Set(split.heldOut.samples.map(\.video)).count == split.heldOut.count / 100)
  }

  @Test func keepsSmallFoldersWhole() throws {
    // A folder a video, as many datasets are laid out.
    let samples = (0..<60).flatMap { video in
      (0..<30).map { sample("v\(video)/\($0).jpg", video % 2 == 0 ? .real : .fake) }
    }
    let split = try HoldOut(fraction: 0.3, seed: 1, block: 7).split(FaceManifest(samples))
    func folders(_ part: FaceManifest) -> Set<Substring> {
      Set(part.samples.map { $0.path.prefix { $0 != "/" } })
    }
    #expect(folders(split.training).isDisjoint(with: folders(split.heldOut)))
    #expect(split.leftOut == 0 && folders(split.heldOut).count == 18)
  }

  @Test func splitsSmallLists() throws {
    for count in [4, 20, 90] {
      let samples =
        (0..<count).map { sample("real/\($0).jpg", .real) }
        + (0..<count).map { sample("fake/\($0).jpg", .fake) }
      let split = try HoldOut(fraction: 0.25).split(FaceManifest(samples))
      expectNoLeak(split)
      for label in FaceLabel.allCases {
        #expect(split.heldOut.count(label) > 0 && split.heldOut.count(label) <= count / 2)
        #expect(split.training.count(label) >= count / 3)
      }
    }
  }

  @Test func followsTheColumn() throws {
    let samples = [
      sample("a", .real, split: "train"), sample("b", .fake, split: "Training"),
      sample("c", .real, split: "val"), sample("d", .fake, split: "test"),
    ]
    let split = try HoldOut().split(FaceManifest(samples))
    #expect(split.rule == .column)
    #expect(split.training.samples.map(\.path) == ["a", "b"])
    #expect(split.heldOut.samples.map(\.path) == ["c"])
    #expect(split.leftOut == 1)
    for wrong in ["holdout", nil] {
      let odd = samples + [sample("e", .real, split: wrong)]
      #expect(throws: DatasetError.self) { try HoldOut().split(FaceManifest(odd)) }
    }
    #expect(throws: DatasetError.self) {
      try HoldOut().split(FaceManifest(Array(samples.prefix(2))))
    }
  }

  @Test func saysWhereNothingCanBeHeldOut() throws {
    let one = (0..<10).map { sample("\($0)", .real, person: "p") }
    let error = failure { () throws(DatasetError) in try HoldOut().split(FaceManifest(one)) }
    #expect(error?.description.contains("no part can be held out") == true)
    #expect(throws: DatasetError.self) { try HoldOut().split(FaceManifest([])) }
  }
}
