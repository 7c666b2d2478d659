import DeepfakeCore
import FaceData
import FaceDetect
import Foundation
import Measures
import MediaIO
import TestSupport
import Testing

/// A folder of drawn crops: five frames of each of `videos` videos, each of another person in
/// another place.
private struct DrawnFaces {
  var samples: [FaceSample] = []
  let folder: URL

  init(_ folder: URL, videos: Int) throws {
    self.folder = folder
    for video in 0..<videos {
      let scene = PlantedScene(
        person: UInt64(video), video: UInt64(video), place: UInt64(video))
      for frame in 0..<5 {
        try add(scene.frame(UInt64(frame), side: 96), video % 2 == 0 ? .real : .fake)
      }
    }
  }

  @discardableResult
  mutating func add(_ image: Image, _ label: FaceLabel, quality: Int = 90) throws -> Int {
    let digits = String(10_000 + samples.count).dropFirst()
    let path = "\(label.word)-\(digits).jpg"
    let file = folder.appendingPathComponent(path)
    try ImageFile.write(image, to: file, format: .jpeg(quality: quality))
    samples.append(FaceSample(path: path, file: file, label: label))
    return samples.count - 1
  }

  func measure() throws -> (manifest: FaceManifest, table: FingerprintTable) {
    let manifest = FaceManifest(samples)
    return (manifest, try FingerprintTable.measure(manifest, embedder: nil, cache: nil))
  }
}

extension AuditReport {
  fileprivate func leak(_ kind: LinkKind, _ first: Int = 0, _ second: Int = 1) -> Leak? {
    leaks.first { $0.kind == kind && $0.first == first && $0.second == second }
  }
}

@Suite struct DatasetAuditTests {
  @Test func aRandomSplitLeaksAndAGroupedOneDoesNot() throws {
    try Paths.withTemporaryFolder { folder in
      let faces = try DrawnFaces(folder, videos: 40)
      let (manifest, table) = try faces.measure()
      func share(_ splitter: DatasetSplitter) throws -> [LinkKind: Double] {
        let search = LinkSearch()
        let partition = try splitter.split(manifest, links: search.links(manifest, table))
        let sides = AuditSides(
          names: ["train", "validation"],
          sides: partition.parts.map { $0 == .validation ? 1 : 0 })
        let report = try DatasetAudit().report(manifest, sides, table)
        #expect(report.sides.map(\.outline.samples).reduce(0, +) == 200)
        return Dictionary(uniqueKeysWithValues: report.leaks.map { ($0.kind, $0.share) })
      }
      var splitter = DatasetSplitter()
      let grouped = try share(splitter)
      splitter.isRandom = true
      let random = try share(splitter)
      #expect(random[.neighbours, default: 0] > 0.9)
      for kind in [LinkKind.neighbours, .nearCopy, .identicalFile, .video] {
        #expect(grouped[kind] == 0, "\(kind)")
      }
    }
  }

  @Test func namesOnBothSidesAreCounted() throws {
    try Paths.withTemporaryFolder { folder in
      var faces = try DrawnFaces(folder, videos: 6)
      for index in faces.samples.indices {
        faces.samples[index].video = "v\(index / 5)"
        faces.samples[index].person = "p\(index / 10)"
      }
      // Video 5 is a fake of video 0; a third side has nothing in common with the others.
      for index in 25..<30 { faces.samples[index].original = "v0" }
      faces.samples[29].video = "v9"
      let (manifest, table) = try faces.measure()
      // v0 | v1 v2 | ... : persons p0 = v0, v1; p1 = v2, v3; p2 = v4, v5.
      let sides = AuditSides(
        names: ["a", "b", "c"],
        sides: manifest.samples.indices.map { $0 < 5 ? 0 : $0 < 29 ? 1 : 2 })
      let report = try DatasetAudit().report(manifest, sides, table)
      let video = try #require(report.leak(.video))
      #expect(video.pairs == 0 && video.share == 0 && video.examples.isEmpty)
      let person = try #require(report.leak(.person))
      #expect(person.pairs == 1 && person.touchedInFirst == 5 && person.touchedInSecond == 5)
      #expect(abs(person.share - 5.0 / 24) < 1e-12)
      #expect(person.examples == [SampleLink(0, 5, .person)])
      let original = try #require(report.leak(.original))
      #expect(original.pairs == 1 && original.touchedInFirst == 5)
      #expect(original.touchedInSecond == 4 && original.examples == [SampleLink(0, 25, .original)])
      // Two fakes of one video, on two sides.
      #expect(report.leak(.original, 1, 2)?.touchedInSecond == 1)
      #expect(report.leak(.original, 0, 2)?.share == 1)
      #expect(report.leak(.person, 0, 2)?.pairs == 0)
      #expect(report.leaks(above: 0.2).contains { $0.kind == .person })
      #expect(!report.leaks(above: 0.21).contains { $0.kind == .person && $0.first == 0 })
    }
  }

  @Test func copiesOnBothSidesAndLabelsThatDifferAreFound() throws {
    try Paths.withTemporaryFolder { folder in
      var faces = try DrawnFaces(folder, videos: 12)
      for index in faces.samples.indices { faces.samples[index].video = "v\(index / 5)" }
      let scene = PlantedScene(person: 0, video: 0, place: 0)
      let same = try faces.add(scene.frame(0, side: 96), .fake)
      let copy = try faces.add(scene.frame(1, side: 96), .real, quality: 50)
      faces.samples[copy].video = "copy"
      // The frame that a fake was made from may be its copy.
      let fake = try faces.add(scene.frame(2, side: 96), .fake, quality: 60)
      faces.samples[fake].original = "v0"
      let (manifest, table) = try faces.measure()
      let sides = AuditSides(
        names: ["train", "test"], sides: manifest.samples.indices.map { $0 < 60 ? 0 : 1 })
      let report = try DatasetAudit().report(manifest, sides, table)
      let identical = try #require(report.leak(.identicalFile))
      #expect(identical.examples == [SampleLink(0, same, .identicalFile)])
      #expect(identical.touchedInSecond == 1)
      let near = try #require(report.leak(.nearCopy))
      #expect(near.touchedInSecond >= 2 && near.examples.contains { $0.second == copy })
      #expect(near.evidence.values.reduce(0, +) == near.pairs && identical.evidence.isEmpty)
      let conflicts = Dictionary(uniqueKeysWithValues: report.conflicts.map { ($0.kind, $0) })
      #expect(conflicts[.identicalFile]?.examples == [SampleLink(0, same, .identicalFile)])
      #expect(
        conflicts[.nearCopy]?.examples.contains { $0.first == fake || $0.second == fake } != true)
      #expect(conflicts[.video] == nil)
      var mixed = faces
      mixed.samples[same].video = "v0"
      let again = try DatasetAudit().report(try mixed.measure().manifest, sides, table)
      #expect(
        again.conflicts.first { $0.kind == .video }?.examples == [SampleLink(0, same, .video)])
    }
  }
}

@Suite struct ShortcutProbeTests {
  /// Noise of several sizes, saved at a quality that tells the label, or does not.
  private func findings(
    qualityTells: Bool, framingTells: Bool? = nil
  ) throws -> [ShortcutProbe.Finding] {
    try Paths.withTemporaryFolder { folder in
      var samples: [FaceSample] = []
      var generator = SeededGenerator(seed: 4)
      for index in 0..<120 {
        let label: FaceLabel = index % 2 == 0 ? .real : .fake
        let side = 40 + Int(generator.next() % 5)
        let image = Image(width: side, height: side) { pixels in
          for place in pixels.indices {
            pixels[place] = UInt8(truncatingIfNeeded: generator.next())
          }
        }
        // In the middle for fakes: no threshold tells them apart.
        let quality =
          qualityTells
          ? (label == .fake ? 75 : index % 4 == 0 ? 55 : 95) : 55 + 20 * (index / 2 % 3)
        let file = folder.appendingPathComponent("\(index).jpg")
        try ImageFile.write(image, to: file, format: .jpeg(quality: quality))
        var sample = FaceSample(path: "\(index).jpg", file: file, label: label)
        sample.video = "v\(index)"
        if let framingTells {
          // Eyes and mouth of a small or a large face, as parts of the picture.
          let isLarge = framingTells ? label == .fake : index % 4 < 2
          let reach = Float(side) * (isLarge ? 0.25 : 0.2) + Float(index % 5) * 0.01
          let middle = Float(side) / 2
          sample.landmarks = [
            (-0.5, -0.5), (0.5, -0.5), (0, 0), (-0.4, 0.5), (0.4, 0.5),
          ].map { Point(x: middle + $0.0 * reach, y: middle + $0.1 * reach) }
        }
        samples.append(sample)
      }
      let manifest = FaceManifest(samples)
      let table = try FingerprintTable.measure(manifest, embedder: nil, cache: nil)
      return ShortcutProbe().findings(manifest, table)
    }
  }

  @Test func findsWhatTellsTheLabel() throws {
    let findings = try findings(qualityTells: true)
    #expect(findings[0].feature == nil && findings[0].auc > 0.99)
    let quality = try #require(findings.first { $0.feature == .quality })
    #expect(quality.auc == 1)
    // The collection is the same for all, and says nothing.
    #expect(findings.first { $0.feature == .origin }?.auc == 0.5)
    #expect(try #require(findings.first { $0.feature == .size }).auc < 0.7)
  }

  @Test func findsThatTheFacesSizeTellsTheLabel() throws {
    let telling = try findings(qualityTells: false, framingTells: true)
    #expect(try #require(telling.first { $0.feature == .framing }).auc == 1)
    let idle = try findings(qualityTells: false, framingTells: false)
    #expect(abs(try #require(idle.first { $0.feature == .framing }).auc - 0.5) < 0.2)
    // Nothing is said of the faces' place where no landmarks are known.
    #expect(try findings(qualityTells: false).allSatisfy { $0.feature != .framing })
  }

  @Test func findsNothingWhereNothingIs() throws {
    for finding in try findings(qualityTells: false) {
      #expect(abs(finding.auc - 0.5) < 0.2, "\(finding)")
    }
  }

  @Test func hasNothingToSayOfOneLabel() throws {
    try Paths.withTemporaryFolder { folder in
      let faces = try DrawnFaces(folder, videos: 1)
      let (manifest, table) = try faces.measure()
      #expect(ShortcutProbe().findings(manifest, table).isEmpty)
    }
  }
}
