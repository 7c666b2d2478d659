import DFKit
import Foundation
import Synchronization
import TestSupport
import Testing

/// A detector that finds a face in frames it is told, at full size or shrunk; frames are told apart
/// by how bright they are.
private final class SizedDetector: FaceDetector {
  /// Frames searched, by whether they were shrunk.
  struct Log: Sendable {
    var shrunk: [Int] = []
    var whole: [Int] = []
  }

  let frameScale: FrameScale
  private let finds: @Sendable (Int, Bool) -> Bool
  private let log: Mutex<Log>

  init(
    _ scale: FrameScale,
    finds: @escaping @Sendable (_ frame: Int, _ isShrunk: Bool) -> Bool
  ) {
    frameScale = scale
    self.finds = finds
    log = Mutex(Log())
  }

  var searched: Log { log.withLock { $0 } }

  func detect(_ frames: [Image]) throws -> [[Face]] { try detect(frames, scale: frameScale) }

  func detect(_ frames: [Image], scale: FrameScale) throws -> [[Face]] {
    frames.map { frame in
      let index = Int((Float(frame.pixels[0]) / 10).rounded()) - 2
      let isShrunk = scale.factor(width: frame.width, height: frame.height) < 1
      log.withLock {
        if isShrunk { $0.shrunk.append(index) } else { $0.whole.append(index) }
      }
      let box = Box(x1: 10, y1: 10, x2: 50, y2: 60)
      return finds(index, isShrunk) ? [Face(box: box, score: 0.9, landmarks: [])] : []
    }
  }
}

/// With the scale `auto`, frames in which no face is found are looked at again at full size.
@Suite struct SecondLookTests {
  private static let frames = 12

  /// Detects in a video whose frames are grey of brightness 20, 30 and so on.
  private func report(
    _ detector: SizedDetector, width: Int = 1920, height: Int = 64
  ) throws -> DetectionReport {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("clip.mp4")
      let writer = try VideoWriter(file, width: width, height: height, frameRate: 10)
      for index in 0..<Self.frames {
        let grey = UInt8(10 * (index + 2))
        try writer.append(Image(width: width, height: height) { $0.update(repeating: grey) })
      }
      try writer.finish()
      var found: DetectionReport?
      var job = DetectionJob(detector: detector, frames: .all)
      job.detectorName = "test"
      _ = try job.run(MediaFiles.expand([file.path], kinds: [.video])) { found = $0 }
      return try #require(found)
    }
  }

  private func framesWithFaces(_ report: DetectionReport) -> [Int] {
    report.frames.indices.filter { !report.frames[$0].faces.isEmpty }
  }

  @Test func aVideoWithFacesIsLookedAtOnce() throws {
    let detector = SizedDetector(.auto) { _, _ in true }
    let report = try report(detector)
    #expect(detector.searched.shrunk == Array(0..<12) && detector.searched.whole.isEmpty)
    #expect(report.search.frameScale == 0.5 && report.search.secondLooks == 0)
    #expect(report.search.detector == "test")
  }

  @Test func aVideoWithoutFacesIsLookedAtTwice() throws {
    let detector = SizedDetector(.auto) { _, _ in false }
    let report = try report(detector)
    #expect(detector.searched.shrunk == Array(0..<12) && detector.searched.whole == Array(0..<12))
    #expect(report.search.secondLooks == 12 && framesWithFaces(report).isEmpty)
    #expect(Array(report.json).last?.text.contains("\"secondLooks\": 12") == true)
  }

  @Test func facesThatOnlyFullSizeShowsAreFoundInEveryFrame() throws {
    let detector = SizedDetector(.auto) { _, isShrunk in !isShrunk }
    let report = try report(detector)
    #expect(framesWithFaces(report) == Array(0..<12))
    #expect(report.search.secondLooks == 12)
  }

  @Test func onceFacesWereFoundInThreeFramesTheFirstLookIsBelieved() throws {
    let detector = SizedDetector(.auto) { index, isShrunk in !isShrunk || [1, 2, 4].contains(index)
    }
    let report = try report(detector)
    // Frames 0 and 3 come before the third with a face.
    #expect(detector.searched.whole == [0, 3])
    #expect(framesWithFaces(report) == [0, 1, 2, 3, 4] && report.search.secondLooks == 2)
  }

  @Test func smallFramesAndFixedScalesGetOneLook() throws {
    let small = SizedDetector(.auto) { _, _ in false }
    let first = try report(small, width: 640)
    #expect(small.searched.whole == Array(0..<12) && small.searched.shrunk.isEmpty)
    #expect(first.search.frameScale == 1 && first.search.secondLooks == 0)
    let fixed = SizedDetector(0.5) { _, _ in false }
    let second = try report(fixed)
    #expect(fixed.searched.shrunk == Array(0..<12) && fixed.searched.whole.isEmpty)
    #expect(second.search.frameScale == 0.5 && second.search.secondLooks == 0)
  }
}
