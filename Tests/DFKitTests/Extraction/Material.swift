import DFKit
import Foundation
import TestSupport

/// Finds a face where a still video has its patches: everywhere the same, whatever was asked
/// before.
struct PatchDetector: FaceDetector {
  var count = 2

  func detect(_ frames: [Image]) throws -> [[Face]] {
    frames.map { frame in
      // The left patch is red where there is one.
      guard frame[5, 6].0 > 150 else { return [] }
      let left = Face(
        box: Box(x1: 2, y1: 4, x2: 16, y2: 18), score: 0.9,
        landmarks: [
          Point(x: 6, y: 8), Point(x: 12, y: 8), Point(x: 9, y: 11), Point(x: 7, y: 14),
          Point(x: 11, y: 14),
        ])
      let right = Face(box: Box(x1: 40, y1: 20, x2: 60, y2: 40), score: 0.8)
      return Array([left, right].prefix(count))
    }
  }
}

/// A dataset of made-up videos in folders `real` and `fake`.
struct ExtractionMaterial {
  let folder: URL

  var out: URL { folder.appendingPathComponent("out", isDirectory: true) }

  /// Calls `body` with some real and some fake videos of as many frames as told.
  static func with<R>(
    real: [String] = ["a", "b"], fake: [String] = ["a", "c", "d"], frames: Int = 5,
    _ body: (ExtractionMaterial) throws -> R
  ) throws -> R {
    try Paths.withTemporaryFolder { folder in
      let material = ExtractionMaterial(folder: folder)
      for (names, label) in [(real, "real"), (fake, "fake")] {
        for (index, name) in names.enumerated() {
          try material.addVideo("\(label)/\(name).mp4", grey: UInt8(60 + 20 * index), frames)
        }
      }
      return try body(material)
    }
  }

  /// Adds a video of 64 by 48 pixels, with a patch in either half.
  func addVideo(
    _ path: String, grey: UInt8 = 120, _ frames: Int = 5, hasFaces: Bool = true
  ) throws {
    var picture = Image.plain(64, 48, grey: grey)
    if hasFaces {
      picture.fillRectangle(x: 2, y: 4, width: 14, height: 14, color: .red)
      picture.fillRectangle(x: 6, y: 10, width: 5, height: 3, color: .black)
      picture.fillRectangle(x: 40, y: 20, width: 20, height: 20, color: .green)
      picture.fillRectangle(x: 46, y: 30, width: 8, height: 6, color: .white)
    }
    let url = folder.appendingPathComponent("videos/\(path)")
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    let writer = try VideoWriter(url, width: 64, height: 48, frameRate: 5)
    for _ in 0..<frames { try writer.append(picture) }
    try writer.finish()
  }

  /// The videos, all or those of some paths.
  func videos(_ paths: [String] = [""]) -> MediaFiles {
    MediaFiles.expand(
      paths.map { folder.appendingPathComponent("videos/\($0)").path }, kinds: [.video])
  }

  func job(
    _ options: ExtractionOptions = .init(), detector: any FaceDetector = PatchDetector(),
    out: String = "out"
  ) throws -> ExtractionJob {
    ExtractionJob(
      options, detector: detector, detectorDigest: "none", labels: try DatasetLabels(),
      folder: folder.appendingPathComponent(out, isDirectory: true))
  }

  /// Plans and runs a job.
  @discardableResult
  func run(
    _ options: ExtractionOptions = .init(), detector: any FaceDetector = PatchDetector(),
    paths: [String] = [""], out: String = "out"
  ) throws -> ExtractionSummary {
    let job = try job(options, detector: detector, out: out)
    return try job.run(try job.plan(videos(paths)))
  }

  /// The rows of the manifest.
  func manifest(_ out: String = "out") throws -> FaceManifest {
    try FaceManifest.read(folder.appendingPathComponent(out, isDirectory: true))
  }

  /// Every file below a folder with its bytes.
  func contents(_ out: String = "out") throws -> [String: Data] {
    let root = folder.appendingPathComponent(out, isDirectory: true)
    var result: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: root.path) {
      let url = root.appendingPathComponent(name)
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
      if !isFolder.boolValue { result[name] = try Data(contentsOf: url) }
    }
    return result
  }
}
