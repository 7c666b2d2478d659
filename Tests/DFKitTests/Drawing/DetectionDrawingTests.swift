import DFKit
import Foundation
import TestSupport
import Testing

@Suite struct DetectionDrawingTests {
  private static let clip = Paths.fixture("media/plain.mp4")

  /// Searches with two scripted faces, of which the second comes in frame 2, and draws.
  private func draw(
    _ files: [URL], frames: FrameChoice, form: DetectionDrawing.Form?, in folder: URL,
    faces: @escaping @Sendable (Int) -> [Face] = { index in
      [.at(4, 6, side: 16)] + (index < 2 ? [] : [.at(40, 20, side: 18)])
    }
  ) throws -> [DetectionReport] {
    let job = DetectionJob(
      detector: ScriptedDetector { index, _ in faces(index) }, frames: frames,
      drawing: DetectionDrawing(folder: folder, form: form))
    var reports: [DetectionReport] = []
    var progress: [Double] = []
    let outcome = try job.run(
      MediaFiles.expand(files.map(\.path), kinds: [.image, .video]),
      progress: { progress.append($0.overall) }, report: { reports.append($0) })
    #expect(outcome.failures == reports.count { $0.error != nil })
    #expect(progress == progress.sorted())
    return reports
  }

  private func names(_ folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  private func has(_ color: Color, in image: Image) -> Bool {
    (0..<image.height).contains { y in
      (0..<image.width).contains { x in
        image[x, y] == (color.red, color.green, color.blue)
      }
    }
  }

  @Test func aFewFramesMakeASheet() throws {
    try Paths.withTemporaryFolder { folder in
      let reports = try StillVideo.with {
        try draw([$0], frames: .spread(4), form: nil, in: folder)
      }
      try #require(reports.count == 1)
      #expect(reports[0].error == nil && reports[0].frames.count == 4)
      #expect(reports[0].tracks.map(\.sightings.count) == [4, 2])
      #expect(reports[0].frames.map { $0.faces.map(\.track) } == [[1], [1], [1, 2], [1, 2]])
      #expect(try names(folder) == ["still.png"])
      let sheet = try ImageFile.read(folder.appendingPathComponent("still.png"))
      #expect(sheet.width >= 800 && sheet.height > 400)
      #expect(has(.track(1), in: sheet) && has(.track(2), in: sheet))
      #expect(!has(.track(3), in: sheet))
    }
  }

  @Test func allFramesMakeAVideoOfTheSameTimes() throws {
    try Paths.withTemporaryFolder { folder in
      let reports = try draw([Self.clip], frames: .all, form: nil, in: folder)
      #expect(try names(folder) == ["plain.mp4"])
      var original: [VideoFrame] = []
      try Video(Self.clip).forEachFrame { original.append($0) }
      var drawn: [VideoFrame] = []
      try Video(folder.appendingPathComponent("plain.mp4")).forEachFrame { drawn.append($0) }
      #expect(reports[0].frames.count == original.count)
      try #require(drawn.count == original.count)
      for (a, b) in zip(drawn, original) {
        #expect(abs(a.time - b.time) < 1e-4)
        #expect(a.image.width == b.image.width && a.image.height == b.image.height)
      }
      #expect(drawn[5].image != original[5].image)
    }
  }

  @Test func theTimesOfAVariableRateAreKept() throws {
    try Paths.withTemporaryFolder { folder in
      let clip = Paths.fixture("media/variable-rate.mkv")
      _ = try draw([clip], frames: .all, form: .video, in: folder)
      var times: [Double] = []
      try Video(clip).forEachFrame { times.append($0.time) }
      var found: [Double] = []
      try Video(folder.appendingPathComponent("variable-rate.mp4"))
        .forEachFrame { found.append($0.time) }
      try #require(found.count == times.count)
      for (a, b) in zip(found, times) { #expect(abs(a - b) < 1e-4) }
    }
  }

  @Test func framesMakeAPictureEach() throws {
    try Paths.withTemporaryFolder { folder in
      _ = try StillVideo.with { try draw([$0], frames: .spread(3), form: .frames, in: folder) }
      #expect(
        try names(folder) == ["still-00000.png", "still-00001.png", "still-00002.png"])
      let last = try ImageFile.read(folder.appendingPathComponent("still-00002.png"))
      #expect(last.width == 64 && has(.track(2), in: last))
    }
  }

  @Test(arguments: [DetectionDrawing.Form.sheet, .video, .frames])
  func anImageIsAPictureInAnyForm(_ form: DetectionDrawing.Form) throws {
    try Paths.withTemporaryFolder { folder in
      let photo = Paths.fixture("media/rgb8.png")
      _ = try draw([photo], frames: .spread(25), form: form, in: folder)
      #expect(try names(folder) == ["rgb8.png"])
      let (a, b) = (
        try ImageFile.read(photo), try ImageFile.read(folder.appendingPathComponent("rgb8.png"))
      )
      #expect(a.width == b.width && a.height == b.height)
    }
  }

  @Test(arguments: [DetectionDrawing.Form.sheet, .video, .frames])
  func everyKindOfVideoCanBeDrawn(_ form: DetectionDrawing.Form) throws {
    try Paths.withTemporaryFolder { folder in
      let clips = ["odd.webm", "changing.h264", "rotated-90.mp4", "late-start.mkv", "grey.mkv"]
      let reports = try draw(
        clips.map { Paths.fixture("media/\($0)") }, frames: .all, form: form, in: folder)
      #expect(reports.count == 5)
      for report in reports { #expect(report.error == nil, "\(report.error ?? "")") }
      #expect(try names(folder).count >= 5)
    }
  }

  @Test func facesAnywhereAndNowhereAreDrawn() throws {
    try Paths.withTemporaryFolder { folder in
      for form in DetectionDrawing.Form.allCases {
        let none = try draw([Self.clip], frames: .spread(3), form: form, in: folder) { _ in [] }
        #expect(none[0].tracks.isEmpty && none[0].error == nil)
        let wild = try draw([Self.clip], frames: .spread(3), form: form, in: folder) { _ in
          [
            Face(box: Box(x1: -900, y1: -5, x2: 9000, y2: 2), score: 1),
            Face(box: Box(x1: 70, y1: 60, x2: 60, y2: 50), score: 0.5),
            Face(
              box: Box(x1: 5, y1: 5, x2: 40, y2: 40), score: 0.7,
              landmarks: [Point(x: -1e9, y: 4), Point(x: 1e9, y: -1e9)]),
          ]
        }
        #expect(wild[0].error == nil)
      }
    }
  }

  @Test func manyPeopleFitASheet() throws {
    try Paths.withTemporaryFolder { folder in
      let reports = try draw([Self.clip], frames: .all, form: .sheet, in: folder) { _ in
        (0..<40).map { .at(Float($0 % 8 * 8), Float($0 / 8 * 8), side: 6) }
      }
      #expect(reports[0].tracks.count > 24)
      let sheet = try ImageFile.read(folder.appendingPathComponent("plain.png"))
      #expect(sheet.height < 5000)
    }
  }

  @Test func inputsAreNeverReplaced() throws {
    try Paths.withTemporaryFolder { folder in
      let clip = folder.appendingPathComponent("a.mp4")
      try FileManager.default.copyItem(at: Self.clip, to: clip)
      let before = try Data(contentsOf: clip)
      let reports = try draw([clip], frames: .all, form: .video, in: folder)
      #expect(reports[0].error?.contains("it is an input") == true)
      #expect(try Data(contentsOf: clip) == before)
      #expect(try names(folder) == ["a.mp4"])
      // A sheet is called otherwise.
      #expect(try draw([clip], frames: .all, form: .sheet, in: folder)[0].error == nil)
      #expect(try names(folder) == ["a.mp4", "a.png"])
    }
  }

  @Test func coloursAreTwelveAndReadable() {
    let colors = (1...12).map { Color.track($0) }
    for (i, a) in colors.enumerated() {
      for b in colors[..<i] {
        let apart =
          abs(Int(a.red) - Int(b.red)) + abs(Int(a.green) - Int(b.green))
          + abs(Int(a.blue) - Int(b.blue))
        #expect(apart > 60)
      }
      let text = a.contrastingTextColor.luminance
      let (light, dark) = (max(text, a.luminance), min(text, a.luminance))
      #expect((light + 0.05) / (dark + 0.05) >= 4.5)
      #expect(a == Color.track(i + 13))
    }
    #expect(Color.track(0) == Color.track(12))
  }
}
