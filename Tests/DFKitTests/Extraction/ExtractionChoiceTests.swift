import DFKit
import Foundation
import TestSupport
import Testing

/// Which frames and faces are cut out, and how.
@Suite struct ExtractionChoiceTests {
  @Test func balanceTakesMoreOfTheRarerLabel() throws {
    // DFDC's training set.
    let few = FrameBalance(1, realVideos: 19154, fakeVideos: 100_000, most: 200)
    #expect(few.real == 5 && few.fake == 1)
    let many = FrameBalance(10, realVideos: 19154, fakeVideos: 100_000, most: 200)
    #expect(many.real == 52 && many.fake == 10)
    #expect(FrameBalance(10, realVideos: 1, fakeVideos: 100, most: 30).real == 30)
    #expect(FrameBalance(10, realVideos: 7, fakeVideos: 2, most: 200).fake == 35)
    #expect(FrameBalance(10, realVideos: 0, fakeVideos: 2, most: 200) == FrameBalance(10))
    #expect(FrameBalance(10, realVideos: 1, fakeVideos: 1_000_000, most: .max).real == 10_000_000)
  }

  @Test func presetsMakeTheirCounts() throws {
    let videos = (real: 19154, fake: 100_000)
    for (preset, wanted) in [(ExtractionOptions.Preset.faces3, 200_000), (.faces6, 2_000_000)] {
      let options = ExtractionOptions(preset: preset)
      #expect(options.detector.kind == .retinaface && options.people == .surest)
      guard case .spread(let frames) = options.frames else {
        Issue.record("\(preset) has no number of frames")
        continue
      }
      let balance = FrameBalance(
        frames, realVideos: videos.real, fakeVideos: videos.fake, most: options.maxFrames)
      let (real, fake) = (balance.real * videos.real, balance.fake * videos.fake)
      #expect(abs(real + fake - wanted) < wanted / 40)
      #expect(abs(real - fake) < wanted / 40)
    }
    let first = ExtractionOptions(preset: .faces1)
    #expect(first.detector.kind == .mtcnn && first.frames == .firstFace)
  }

  @Test func aBalancedFolderStaysAsItWasBegun() throws {
    try ExtractionMaterial.with(real: ["a"], fake: ["b", "c", "d"], frames: 12) { material in
      var options = ExtractionOptions()
      options.frames = .spread(2)
      options.isBalanced = true
      let summary = try material.run(options)
      #expect(summary.balance?.real == 6 && summary.balance?.fake == 2)
      #expect(summary.real.crops == 12 && summary.fake.crops == 12)
      #expect(summary.text.contains("50 %"))
      try material.addVideo("real/e.mp4", grey: 90, 12)
      let more = try material.run(options)
      #expect(more.balance?.real == 6 && more.real.crops == 24)
      options.frames = .all
      #expect(throws: ExtractionError.self) { try material.run(options, out: "all") }
    }
  }

  @Test func peopleAreChosen() throws {
    try ExtractionMaterial.with(real: ["a"], fake: []) { material in
      var options = ExtractionOptions()
      options.frames = .all
      func boxes(_ people: ExtractionOptions.People) throws -> Set<Float> {
        options.people = people
        try material.run(options, out: people.rawValue)
        let samples = try material.manifest(people.rawValue).samples
        #expect(samples.count == (people == .all ? 10 : 5))
        return Set(samples.compactMap { $0.box?.x1 })
      }
      #expect(try boxes(.all) == [2, 40])
      #expect(try boxes(.largest) == [40])
      #expect(try boxes(.surest) == [2])
      // The first face alone.
      options.frames = .firstFace
      options.people = .all
      try material.run(options, out: "first")
      let only = Array(try material.manifest("first").samples)
      #expect(only.count == 1 && only[0].frame == 0 && only[0].person == "videos/real/a#1")
    }
  }

  @Test func oneFrameIsTheFirst() throws {
    try ExtractionMaterial.with(real: ["a"], fake: []) { material in
      var options = ExtractionOptions()
      options.frames = .spread(1)
      let summary = try material.run(options)
      #expect(summary.real.frames == 1)
      #expect(try material.manifest().samples.map(\.frame) == [0, 0])
    }
  }

  /// A face in all frames, and another in one of them.
  private struct PassingDetector: FaceDetector {
    func detect(_ frames: [Image]) throws -> [[Face]] {
      // A batch's first frame has both.
      try frames.enumerated().map { index, frame in
        try PatchDetector(count: index == 0 ? 2 : 1).detect([frame])[0]
      }
    }
  }

  @Test func whoPassesByIsLeftOut() throws {
    try ExtractionMaterial.with(real: ["a"], fake: [], frames: 4) { material in
      var options = ExtractionOptions()
      options.frames = .all
      options.minShare = 0.5
      try material.run(options, detector: PassingDetector())
      #expect(try material.manifest().count == 4)
      options.minShare = 0
      try material.run(options, detector: PassingDetector(), out: "everybody")
      #expect(try material.manifest("everybody").count == 5)
    }
  }

  @Test func theDatasetKnowsOnePerson() throws {
    try Paths.withTemporaryFolder { folder in
      let material = ExtractionMaterial(folder: folder)
      try material.addVideo("Celeb-real/id3_0002.mp4")
      try material.addVideo("Celeb-synthesis/id3_id9_0002.mp4")
      var options = ExtractionOptions()
      options.frames = .spread(2)
      try material.run(options)
      let samples = Array(try material.manifest().samples)
      // Of two that are seen as often, the one with the larger face.
      #expect(
        samples.map { "\($0.video ?? "") \($0.person ?? "")" } == [
          "Celeb-real/id3_0002 Celeb-real/id3_0002#1", "Celeb-real/id3_0002 Celeb-real/id3_0002#1",
          "Celeb-real/id3_0002 celeb-df/id3", "Celeb-real/id3_0002 celeb-df/id3",
          "Celeb-synthesis/id3_id9_0002 Celeb-synthesis/id3_id9_0002#1",
          "Celeb-synthesis/id3_id9_0002 Celeb-synthesis/id3_id9_0002#1",
          "Celeb-synthesis/id3_id9_0002 celeb-df/id9", "Celeb-synthesis/id3_id9_0002 celeb-df/id9",
        ])
      #expect(samples[4].original == samples[0].video)
    }
  }

  @Test func oddNamesAndEqualNames() throws {
    let names = ["a b", "a_b", "a,b", "a\"b", "é", "#1", "-x", "a..b"]
    try ExtractionMaterial.with(real: names, fake: ["a b"], frames: 1) { material in
      let summary = try material.run(ExtractionOptions())
      #expect(summary.failures.isEmpty, "\(summary.failures)")
      #expect(summary.real.videos == names.count)
      let manifest = try material.manifest()
      try manifest.checkFiles()
      #expect(manifest.count == 2 * (names.count + 1))
      #expect(try material.run(ExtractionOptions()).skipped == names.count + 1)
      // Two of one name, but for the extension.
      try FileManager.default.copyItem(
        at: material.folder.appendingPathComponent("videos/real/a b.mp4"),
        to: material.folder.appendingPathComponent("videos/real/a b.avi"))
      let job = try material.job(out: "two")
      let plan = try job.plan(material.videos())
      #expect(plan.failures.count == 1)
      #expect(plan.failures.first?.error.contains("Each video needs its own name") == true)
    }
  }

  @Test(
    arguments: [
      (Recipe.Crop.Shape.square, nil), (.square, 64), (.aligned, nil), (.aligned, 64),
    ] as [(Recipe.Crop.Shape, Int?)])
  func landmarksAreInPixelsOfTheCrop(_ shape: Recipe.Crop.Shape, _ size: Int?) throws {
    try ExtractionMaterial.with(real: ["a"], fake: [], frames: 1) { material in
      var options = ExtractionOptions()
      options.people = .surest
      options.crop.shape = shape
      options.size = size
      try material.run(options)
      let sample = try #require(try material.manifest().samples.first)
      let crop = try ImageFile.read(sample.file)
      if let size { #expect(crop.width == size && crop.height == size) }
      let landmarks = try #require(sample.landmarks)
      // The nose is on the black bar, the mouth's corners on red.
      let nose = crop[Int(landmarks[2].x.rounded()), Int(landmarks[2].y.rounded())]
      #expect(nose.0 < 90, "\(nose)")
      for corner in landmarks[3...] {
        let pixel = crop[Int(corner.x.rounded()), Int(corner.y.rounded())]
        #expect(pixel.0 > 120 && pixel.1 < 110, "\(pixel)")
      }
    }
  }

  @Test func jpegInsteadOfPNG() throws {
    try ExtractionMaterial.with(real: ["a"], fake: [], frames: 1) { material in
      var options = ExtractionOptions()
      options.format = .jpeg(quality: 80)
      try material.run(options)
      let sample = try #require(try material.manifest().samples.first)
      #expect(sample.path.hasSuffix(".jpg"))
      #expect(try Data(contentsOf: sample.file).starts(with: [0xFF, 0xD8]))
    }
  }
}
