import DeepfakeCore
import FaceData
import Foundation
import Measures
import TestSupport
import Testing

/// Samples of `people` persons with two videos each, and fakes made of every second video with a
/// stranger's face.
private func dataset(people: Int, frames: Int) -> FaceManifest {
  var samples: [FaceSample] = []
  func add(_ path: String, _ label: FaceLabel, _ video: String, _ origin: String) {
    var sample = FaceSample(path: path, label: label)
    sample.video = video
    sample.origin = origin
    samples.append(sample)
  }
  for person in 0..<people {
    for video in 0..<2 {
      for frame in 0..<frames {
        let name = "part\(person % 10)/v\(person)-\(video)"
        add("\(name)/\(frame).jpg", .real, name, person % 4 == 0 ? "DFDC" : "FF++")
        samples[samples.count - 1].person = "p\(person)"
        guard video == 0 else { continue }
        add("\(name)f/\(frame).jpg", .fake, name + "f", person % 4 == 0 ? "DFDC" : "FF++")
        samples[samples.count - 1].original = name
      }
    }
  }
  return FaceManifest(samples)
}

@Suite struct DatasetSplitterTests {
  private func parts(
    _ partition: DatasetPartition, by key: (FaceSample) -> String?
  ) -> [String: Set<DatasetPart>] {
    var found: [String: Set<DatasetPart>] = [:]
    for (index, sample) in partition.manifest.samples.enumerated() {
      if let name = key(sample) { found[name, default: []].insert(partition.parts[index]) }
    }
    return found
  }

  @Test func keepsWhatBelongsTogetherTogether() throws {
    let manifest = dataset(people: 100, frames: 5)
    var splitter = DatasetSplitter()
    splitter.test = 0.1
    for seed in UInt64(0)..<5 {
      splitter.seed = seed
      let partition = try splitter.split(manifest, links: [])
      for key in [\FaceSample.person, \.video] {
        #expect(parts(partition) { $0[keyPath: key] }.values.allSatisfy { $0.count == 1 })
      }
      // A fake is where its original is.
      #expect(
        parts(partition) { $0.original ?? $0.video }.values.allSatisfy { $0.count == 1 })
      // Every stratum has its share everywhere.
      for share in partition.shares {
        let wanted = [DatasetPart.training: 0.7, .validation: 0.2, .test: 0.1]
        let total = partition.shares.filter {
          $0.label == share.label && $0.origin == share.origin
        }.reduce(0) { $0 + $1.samples }
        let part = Double(share.samples) / Double(total)
        #expect(abs(part - (wanted[share.part] ?? 0)) < 0.05, "\(share)")
      }
      #expect(partition.shares.count == 12)
      #expect(partition.groupCount == 100)
      #expect(try splitter.split(manifest, links: []).parts == partition.parts)
    }
  }

  @Test func heedsLinksAndSaysWhatJoined() throws {
    let manifest = dataset(people: 40, frames: 3)
    func first(_ person: Int) -> Int {
      manifest.samples.firstIndex { $0.person == "p\(person)" } ?? 0
    }
    // A chain of twelve people by looks, a copy between two of them that makes one link needless.
    var links = (0..<11).map {
      SampleLink(first($0), first($0 + 1), .lookAlike, similarity: 0.95 - Float($0) / 100)
    }
    links.append(SampleLink(first(3), first(4) + 1, .nearCopy, similarity: 0.9))
    let partition = try DatasetSplitter().split(manifest, links: links.reversed())
    let people = Set((0..<12).map { partition.parts[first($0)] })
    #expect(people.count == 1)
    #expect(partition.groupCount == 40 - 11)
    let largest = partition.largestGroup
    #expect(largest.samples == 12 * 9 && largest.people == 12 && largest.videos == 36)
    #expect(largest.links.map(\.kind) == [.nearCopy, .lookAlike])
    #expect(largest.links.map(\.count) == [1, 10])
    #expect(largest.weakest.first?.similarity == 0.95 - Float(10) / 100)
    // Samples of one group have one name for it, and no two groups have the same.
    let names = Set(manifest.samples.indices.map { partition.group(at: $0) })
    #expect(names.count == partition.groupCount && !names.contains(""))
  }

  @Test func makesFolds() throws {
    let manifest = dataset(people: 60, frames: 2)
    var splitter = DatasetSplitter()
    splitter.folds = 5
    let partition = try splitter.split(manifest, links: [])
    let folds = try #require(partition.folds)
    for fold in 1...5 {
      let count = folds.count { $0 == fold }
      #expect(abs(Double(count) / Double(manifest.count) - 0.2) < 0.04)
    }
    #expect(
      manifest.samples.indices.allSatisfy {
        partition.parts[$0] == (folds[$0] == 1 ? .validation : .training)
      })
    var byGroup: [Int: Set<Int>] = [:]
    for (index, group) in partition.groups.enumerated() {
      byGroup[group, default: []].insert(folds[index] ?? 0)
    }
    #expect(byGroup.values.allSatisfy { $0.count == 1 })
    // A training holds any of them out.
    let samples = manifest.samples.enumerated().map { index, sample in
      var sample = sample
      sample.fold = folds[index]
      return sample
    }
    var holdOut = HoldOut()
    holdOut.fold = 3
    let split = try holdOut.split(FaceManifest(samples))
    #expect(split.rule == .fold && split.leftOut == 0)
    #expect(split.heldOut.samples.allSatisfy { $0.fold == 3 })
    #expect(split.training.count + split.heldOut.count == manifest.count)
    holdOut.fold = 6
    let error = failure { () throws(DatasetError) in try holdOut.split(FaceManifest(samples)) }
    #expect(error?.description.contains("no sample is in fold 6") == true)
  }

  @Test func keepsFoldersTogetherWhereAsked() throws {
    let manifest = dataset(people: 60, frames: 2)
    var splitter = DatasetSplitter()
    #expect(try splitter.split(manifest, links: []).groupCount == 60)
    splitter.joinsFolders = true
    let partition = try splitter.split(manifest, links: [])
    #expect(partition.groupCount == 10)
    let folders = parts(partition) { $0.video.map { String($0.prefix { $0 != "/" }) } }
    #expect(folders.count == 10 && folders.values.allSatisfy { $0.count == 1 })
  }

  @Test func withoutPicturesBlocksTakeTheirPlace() throws {
    let samples =
      (0..<3000).map { FaceSample(path: "real/\($0).jpg", label: .real) }
      + (0..<3000).map { FaceSample(path: "fake/\($0).jpg", label: .fake) }
    let partition = try DatasetSplitter().split(FaceManifest(samples), links: nil)
    let counts = Dictionary(grouping: partition.parts) { $0 }.mapValues(\.count)
    #expect(counts[.unused, default: 0] > 0)
    for (index, part) in partition.parts.enumerated() where part == .validation {
      let near = max(0, index - 50)..<min(samples.count, index + 50)
      let isBad = near.contains {
        samples[$0].label == samples[index].label && partition.parts[$0] == .training
      }
      #expect(!isBad)
    }
    #expect(partition.group(at: 0) == nil)
    // Looked at: what belongs together is never torn, though it reaches into far blocks.
    let links = (0..<40).map { SampleLink($0 * 71, 3000 + $0 * 53, .nearCopy) }
    let seen = try DatasetSplitter().split(FaceManifest(samples), links: links)
    #expect(seen.groupCount == 6000 - 40)
    for link in links {
      let parts = Set([seen.parts[link.first], seen.parts[link.second]])
      #expect(parts.subtracting([.unused]).count <= 1)
    }
    let held = seen.parts.count { $0 == .validation }
    // A block is a twenty-fourth of all.
    #expect(abs(Double(held) / 6000 - 0.2) < 0.05)
    // Most of what is held out has what is held out around it.
    let runs = (1..<6000).count { seen.parts[$0] != seen.parts[$0 - 1] }
    #expect(runs < 200)
  }

  @Test func aRandomSplitIsOne() throws {
    let manifest = dataset(people: 50, frames: 10)
    var splitter = DatasetSplitter()
    splitter.isRandom = true
    let partition = try splitter.split(manifest, links: nil)
    let videos = parts(partition, by: \.video).values
    #expect(videos.count { $0.count == 2 } > videos.count / 2)
    let held = partition.parts.count { $0 == .validation }
    #expect(abs(Double(held) / Double(manifest.count) - 0.2) < 0.01)
  }

  @Test func splitsAFewVideos() throws {
    // Five videos, each all that there is of its label and collection.
    let samples = (0..<100).map { index in
      var sample = FaceSample(path: "\(index).png", label: index / 20 % 2 == 0 ? .real : .fake)
      sample.video = "v\(index / 20)"
      sample.origin = "o\(index / 40)"
      return sample
    }
    let partition = try DatasetSplitter().split(FaceManifest(samples), links: [])
    #expect(partition.strata != .labelAndOrigin)
    #expect(partition.parts.count { $0 == .validation } == 20)
    #expect(partition.parts.count { $0 == .training } == 80)
  }

  @Test func saysWhatCannotBeSplit() throws {
    let manifest = dataset(people: 3, frames: 3)
    let chain = [SampleLink(0, 9, .lookAlike), SampleLink(9, 18, .lookAlike)]
    for (folds, problem) in [
      (nil, "the part validation would have 0 of 27"), (2, "the part train would have 0 of 27"),
    ] {
      var splitter = DatasetSplitter()
      splitter.folds = folds
      let error = failure { () throws(DatasetError) in
        try splitter.split(manifest, links: chain)
      }
      #expect(error?.description.contains(problem) == true, "\(String(describing: error))")
      #expect(error?.description.contains("1 group, of which the largest has 27") == true)
    }
  }
}

@Suite struct ManifestColumnsTests {
  @Test func writesColumnsAndKeepsTheRest() throws {
    try Paths.withTemporaryFolder { folder in
      let one = folder.appendingPathComponent("one.csv")
      let deep = folder.appendingPathComponent("deep/er")
      try FileManager.default.createDirectory(at: deep, withIntermediateDirectories: true)
      let two = deep.appendingPathComponent("manifest.csv")
      try "Path,label, SPLIT,note\na/b.jpg,REAL,train,\"x, \"\"y\"\"\"\n/c.jpg,1,,\n".write(
        to: one, atomically: true, encoding: .utf8)
      try "label,path,hue\nFAKE,d.jpg,3\n".write(to: two, atomically: true, encoding: .utf8)
      let columns = ManifestColumns([\.split, \.fold])
      let output = deep.appendingPathComponent("all.csv")
      try columns.write([one, two.deletingLastPathComponent()], to: output) {
        ($1.split, $1.fold) = ("s\($0)", $0 + 1)
        return true
      }
      let text = try String(contentsOf: output, encoding: .utf8)
      #expect(
        text == """
          path,label,note,hue,split,fold
          ../../a/b.jpg,REAL,"x, ""y""\",,s0,1
          /c.jpg,1,,,s1,2
          d.jpg,FAKE,,3,s2,3

          """)
      // In place.
      try columns.write([one], to: one) {
        $1.split = "p\($0)"
        return true
      }
      let again = try String(contentsOf: one, encoding: .utf8)
      #expect(again.hasPrefix("path,label,note,split,fold\na/b.jpg,REAL,\"x, \"\"y\"\"\",p0,\n"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 2)
      let nowhere = folder.appendingPathComponent("no/such/x.csv")
      let error = failure { () throws(DatasetError) in
        try columns.write([one], to: nowhere) { _, _ in true }
      }
      #expect(error?.description.contains("cannot be written") == true)
    }
  }
}

extension DatasetPartition {
  /// What the column `group` gets.
  fileprivate func group(at index: Int) -> String? {
    var sample = FaceSample(path: "", label: .real)
    mark(&sample, at: index)
    return sample.group
  }
}
