import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO
import TestSupport
import Testing

@Suite struct DescriptorTests {
  private let scene = DrawnScene(people: [DrawnPerson(seed: 1), DrawnPerson(seed: 2)])

  private func descriptor(_ pose: Pose, light: Float = 1) throws -> FaceDescriptor {
    var generator = SeededGenerator(seed: 4)
    let frame = scene.frame([pose], using: &generator)
    let face = scene.face(pose, using: &generator)
    let lit = Image(
      width: frame.width, height: frame.height,
      pixels: frame.pixels.map { UInt8(min(Float($0) * light, 255)) })
    return try #require(FaceDescriptor(of: face, in: lit))
  }

  @Test func sizeAndTurnHardlyMatter() throws {
    let plain = try descriptor(Pose(person: 0, x: 240, y: 120))
    #expect(abs(plain.similarity(to: plain) - 1) < 1e-3)
    for pose in [
      Pose(person: 0, x: 200, y: 130, scale: 0.5), Pose(person: 0, x: 260, y: 120, scale: 1.1),
      Pose(person: 0, x: 240, y: 120, angle: 0.5), Pose(person: 0, x: 240, y: 120, angle: -0.3),
    ] {
      #expect(try descriptor(pose).similarity(to: plain) > 0.8, "\(pose)")
    }
    let other = try descriptor(Pose(person: 1, x: 240, y: 120))
    #expect(other.similarity(to: plain) < 0.5)
    #expect(other.similarity(to: plain) == plain.similarity(to: other))
  }

  @Test func lightDoesNotChangeThePattern() throws {
    let plain = try descriptor(Pose(person: 0, x: 240, y: 120))
    let dim = try descriptor(Pose(person: 0, x: 240, y: 120), light: 0.6)
    #expect(dim.affinities(with: plain).pattern > 0.95)
  }

  @Test func whatIsOutOfTheFrameDoesNotCount() throws {
    let plain = try descriptor(Pose(person: 0, x: 240, y: 120))
    #expect(plain.affinities(with: plain).clothing != nil)
    let low = try descriptor(Pose(person: 0, x: 240, y: 230))
    #expect(low.affinities(with: plain).clothing == nil)
    #expect(low.affinities(with: plain).hair != nil)
    #expect(low.similarity(to: plain) > 0.8)
    let high = try descriptor(Pose(person: 0, x: 240, y: 20))
    #expect(high.affinities(with: plain).hair == nil)
  }
}

/// How well descriptors tell people apart; `Docs/Tracks.md` has the figures, which DFKIT_MEASURE=1
/// prints.
@Suite(.enabled(if: TrackMaterial.hasFaces)) struct DescriptorMeasurement {
  /// Scores of pairs, part by part.
  private struct Scores {
    var all: [Float] = []
    var pattern: [Float] = []
    var skin: [Float] = []
    var hair: [Float] = []
    var clothing: [Float] = []

    mutating func add(_ a: FaceDescriptor, _ b: FaceDescriptor) {
      let parts = a.affinities(with: b)
      all.append(a.similarity(to: b))
      pattern.append(parts.pattern)
      skin.append(parts.skin)
      if let part = parts.hair { hair.append(part) }
      if let part = parts.clothing { clothing.append(part) }
    }

    func rate(where holds: (Float) -> Bool) -> Double {
      Double(all.count(where: holds)) / Double(all.count)
    }
  }

  private func report(_ name: String, _ same: Scores, _ different: Scores) {
    guard ProcessInfo.processInfo.environment["DFKIT_MEASURE"] != nil else { return }
    func line(_ part: String, _ a: [Float], _ b: [Float]) {
      guard !a.isEmpty && !b.isEmpty else { return }
      let found = Verification(same: a, different: b)
      print(
        "\(name), \(part): \(a.count) pairs of one, \(b.count) of two, AUC"
          + " \(found.areaUnderCurve.rounded(4)), EER \(found.equalErrorRate.rounded(4)) at"
          + " \(found.threshold)")
    }
    line("all", same.all, different.all)
    line("pattern", same.pattern, different.pattern)
    line("skin", same.skin, different.skin)
    line("hair", same.hair, different.hair)
    line("clothing", same.clothing, different.clothing)
    let threshold = FaceTracker.Options().minimumSimilarity
    let joined = different.rate { $0 >= threshold }
    let split = same.rate { $0 < threshold }
    print(
      "\(name), at \(threshold): \(joined.rounded(4)) of two joined, \(split.rounded(4)) of one"
        + " split; of one at least \(same.all.min() ?? 0), of two at most"
        + " \(different.all.max() ?? 0)")
  }

  /// The descriptors of the surest face in evenly spread frames.
  private func descriptors(_ name: String, _ count: Int) throws -> [FaceDescriptor] {
    let detector = try TrackMaterial.detector()
    var found: [FaceDescriptor] = []
    let video = try Video(Paths.reference("videos/\(name).mp4"))
    _ = try video.evenlySpacedFrames(count) { frame in
      guard let face = try detector.detect([frame.image])[0].first else { return }
      found.append(try #require(FaceDescriptor(of: face, in: frame.image)))
    }
    return found
  }

  @Test func farFramesOfVideos() throws {
    var (same, different) = (Scores(), Scores())
    // The first two show one person.
    let videos = try ReferenceTrackTests.names.map { try descriptors($0, 50) }
    for (index, video) in videos.enumerated() {
      for i in video.indices {
        // Two seconds apart at least.
        for j in video.indices.dropFirst(i + 10) { same.add(video[i], video[j]) }
      }
      for other in videos[..<index] where index != 1 {
        for a in video {
          for b in other { different.add(a, b) }
        }
      }
    }
    report("videos", same, different)
    let found = Verification(same: same.all, different: different.all)
    #expect(found.areaUnderCurve > 0.999)
    let threshold = FaceTracker.Options().minimumSimilarity
    #expect(same.rate { $0 < threshold } < 0.01)
    #expect(different.rate { $0 >= threshold } < 0.001)
  }

  /// People photographed together: one light, and each in view with all others.
  @Test func peopleOfOnePicture() throws {
    var different = Scores()
    let detector = try TrackMaterial.detector(frameScale: 1)
    for name in ["crowd", "multiface"] {
      let image = try ImageFile.read(Paths.reference("images/\(name).jpg"))
      let faces = try detector.detect([image])[0].filter { $0.score > 0.9 }
      let found = faces.compactMap { FaceDescriptor(of: $0, in: image) }
      for i in found.indices {
        for j in 0..<i { different.add(found[i], found[j]) }
      }
    }
    var same = Scores()
    for name in ReferenceTrackTests.names {
      let video = try descriptors(name, 25)
      for (a, b) in zip(video, video.dropFirst(6)) { same.add(a, b) }
    }
    report("one picture", same, different)
    #expect(Verification(same: same.all, different: different.all).areaUnderCurve > 0.99)
    #expect(different.rate { $0 >= FaceTracker.Options().minimumSimilarity } < 0.04)
  }

  /// Neighbouring files of swapped and real faces, mostly of one video each, and files far apart.
  @Test func neighbouringFiles() throws {
    let detector = try TrackMaterial.detector(frameScale: 1)
    let folder = try #require(TrackMaterial.faces)
    func descriptor(_ file: URL) throws -> FaceDescriptor? {
      let image = try ImageFile.read(file)
      guard let face = try detector.detect([image])[0].first, face.score > 0.8 else { return nil }
      return FaceDescriptor(of: face, in: image)
    }
    func files(_ path: String) throws -> [URL] {
      try FileManager.default
        .contentsOfDirectory(
          at: folder.appendingPathComponent(path), includingPropertiesForKeys: nil
        )
        .sorted { $0.lastPathComponent < $1.lastPathComponent }
    }
    var (same, different) = (Scores(), Scores())
    var apart: [[FaceDescriptor]] = []
    for path in ["swap/real", "swap/fake"] {
      let all = try files(path)
      var kept: [FaceDescriptor] = []
      for start in stride(from: 0, to: all.count - 1, by: 24) {
        guard let a = try descriptor(all[start]) else { continue }
        kept.append(a)
        if let b = try descriptor(all[start + 1]) { same.add(a, b) }
      }
      apart.append(kept)
    }
    let singles = try files("single/utk")
    let single = try stride(from: 0, to: singles.count, by: 20).compactMap {
      try descriptor(singles[$0])
    }
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<3000 {
      let list = apart[Int.random(in: 0...1, using: &generator)]
      let i = Int.random(in: 0..<list.count, using: &generator)
      let j = Int.random(in: 0..<list.count, using: &generator)
      // 240 files apart at least.
      if abs(i - j) >= 10 { different.add(list[i], list[j]) }
      let k = Int.random(in: 0..<single.count, using: &generator)
      different.add(list[i], single[k])
    }
    report("files", same, different)
    // Of the neighbours, about one pair in ten is of two people or of two videos.
    #expect(Verification(same: same.all, different: different.all).areaUnderCurve > 0.93)
    #expect(different.rate { $0 >= FaceTracker.Options().minimumSimilarity } < 0.03)
  }
}

extension Double {
  fileprivate func rounded(_ digits: Int) -> Double {
    let factor = pow(10, Double(digits))
    return (self * factor).rounded() / factor
  }
}
