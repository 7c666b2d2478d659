import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO

/// Finds the faces in images and videos.
public struct DetectionJob: Sendable {
  /// Finds the faces.
  public var detector: any FaceDetector
  /// Which frames of a video are searched.
  public var frames: FrameChoice
  /// Where pictures with boxes are written; nil for none. The folder is made if it is missing.
  public var drawing: URL?

  /// A job.
  public init(detector: any FaceDetector, frames: FrameChoice = .spread(25), drawing: URL? = nil) {
    self.detector = detector
    self.frames = frames
    self.drawing = drawing
  }

  /// Searches `files` in order and hands over each frame's faces as soon as they are found. Stops early
  /// in a cancelled task.
  ///
  /// - Throws: what `report` throws, and `MediaError` where the folder for pictures cannot be made.
  public func run(
    _ files: MediaFiles, progress: (JobProgress) -> Void = { _ in },
    report: (DetectionReport) throws -> Void
  ) throws -> JobOutcome {
    var names = PictureNames()
    if let drawing { try Self.makeFolder(drawing) }
    let inputs = Set(files.files.map { $0.resolvingSymlinksInPath().path })
    return try forEachFile(
      files, progress: progress,
      problem: { path, error in
        try report(DetectionReport(file: path, error: error.description))
      }
    ) { file, progress in
      let name = names.name(for: file)
      var failure: (any Error)?
      do {
        try search(file, pictureName: name, sparing: inputs, progress: progress) { found in
          do {
            try report(found)
          } catch {
            failure = error
            throw error
          }
        }
        return .answered
      } catch is CancellationError {
        return .cancelled
      } catch {
        // What the receiver of reports throws concerns the whole job, not this file.
        if let failure { throw failure }
        try report(DetectionReport(file: file.relativePath, error: error.reason))
        return .failed
      }
    }
  }

  private func search(
    _ file: URL, pictureName: String, sparing inputs: Set<String>, progress: (Double) -> Void,
    report: (DetectionReport) throws -> Void
  ) throws {
    var count = 0
    func handle(_ frame: MediaFrame) throws {
      try Task.checkCancellation()
      let faces = try detector.detect([frame.image]).first ?? []
      if let drawing {
        let name = frame.time == nil ? pictureName : "\(pictureName)-\(count.padded(to: 5))"
        let target = drawing.appendingPathComponent("\(name).png")
        guard !inputs.contains(target.resolvingSymlinksInPath().path) else {
          throw MediaError.unwritable(
            file: target.relativePath, reason: "it is an input. Draw into another folder.")
        }
        try ImageFile.write(frame.image.drawing(faces), to: target)
      }
      count += 1
      if case .spread(let total) = frames { progress(Double(count) / Double(total)) }
      try report(
        DetectionReport(
          file: file.relativePath, time: frame.time, width: frame.image.width,
          height: frame.image.height, faces: faces))
    }
    _ = try MediaFrame.read(file, frames, handle)
  }

  private static func makeFolder(_ url: URL) throws(MediaError) {
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      throw MediaError.unwritable(file: url.relativePath, reason: error.reason)
    }
  }
}

/// Names for pictures made from files of any folder: the file's own, numbered where it is taken.
struct PictureNames {
  private var used: Set<String> = []

  mutating func name(for file: URL) -> String {
    let base = file.deletingPathExtension().lastPathComponent
    var name = base
    var number = 2
    while !used.insert(name).inserted {
      name = "\(base)-\(number)"
      number += 1
    }
    return name
  }
}

extension Int {
  /// The digits with zeros before them.
  fileprivate func padded(to width: Int) -> String {
    let digits = String(self)
    return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
  }
}
