import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO

/// Draws detected faces into files: one picture for an image, and one of several forms for a video.
package struct DetectionDrawing: Sendable, Equatable {
  /// What is drawn for a video.
  package enum Form: String, Sendable, CaseIterable {
    /// One picture: a grid of frames, with a row for each person below.
    case sheet
    /// A video (H.264 or MPEG-4 in an `.mp4`) of the frames that were searched, each at its own
    /// time.
    case video
    /// One picture for each frame that was searched.
    case frames
  }

  /// The folder for the files; created if missing.
  package var folder: URL
  /// What is drawn for a video. Nil: a video if every frame was searched, otherwise a sheet.
  package var form: Form?

  package init(folder: URL, form: Form? = nil) {
    self.folder = folder
    self.form = form
  }

  func makeFolder() throws(MediaError) {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw MediaError.unwritable(file: folder.relativePath, reason: error.reason)
    }
  }

  /// Reads a file again and draws the faces that were detected in it.
  ///
  /// - Parameters:
  ///   - choice: The frames that were searched.
  ///   - name: The name of the drawings, without extension.
  ///   - names: Refuses names that would overwrite an input.
  func draw(
    _ report: DetectionReport, of file: URL, _ choice: FrameChoice, named name: String,
    _ names: OutputNames, progress: (Double) -> Void
  ) throws {
    /// Calls `body` with each searched frame, its number and its detected faces.
    func eachFrame(_ body: (Int, MediaFrame, DetectionReport.Frame) throws -> Void) throws {
      var count = 0
      _ = try MediaFrame.read(file, choice) { frame in
        try Task.checkCancellation()
        defer { count += 1 }
        // The file may have grown since it was searched: ignore further frames.
        guard count < report.frames.count else { return }
        try body(count, frame, report.frames[count])
        progress(frame.place)
      }
    }
    let isVideo = report.frames.contains { $0.time != nil }
    switch form ?? (choice == .all ? .video : .sheet) {
    case _ where !isVideo:
      let url = try names.file("\(name).png", in: folder)
      try eachFrame { _, frame, found in
        try ImageFile.write(frame.image.drawing(found.faces), to: url)
      }
    case .frames:
      try eachFrame { index, frame, found in
        let url = try names.file("\(name)-\(index.padded(to: 5)).png", in: folder)
        try ImageFile.write(frame.image.drawing(found.faces), to: url)
      }
    case .sheet:
      let url = try names.file("\(name).png", in: folder)
      var sheet = ContactSheet(report)
      try eachFrame { index, frame, _ in sheet.add(frame.image, frame: index) }
      try ImageFile.write(sheet.image(), to: url)
    case .video:
      let url = try names.file("\(name).mp4", in: folder)
      var writer: VideoWriter?
      try eachFrame { _, frame, found in
        let drawn = frame.image.drawing(found.faces)
        let open =
          try writer
          ?? VideoWriter(
            url, width: drawn.width, height: drawn.height, frameRate: report.frameRate)
        writer = open
        try open.append(drawn, time: frame.time)
      }
      try writer?.finish()
    }
  }
}

extension DetectionReport {
  /// The average number of searched frames per second, 0.01 to 1000; 25 if the times are unknown.
  fileprivate var frameRate: Double {
    guard frames.count > 1, let first = frames.first?.time, let last = frames.last?.time,
      last > first
    else { return 25 }
    return min(max(Double(frames.count - 1) / (last - first), 0.01), 1000)
  }
}

extension Int {
  /// The number with leading zeros, at least `width` digits long.
  fileprivate func padded(to width: Int) -> String {
    let digits = String(self)
    return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
  }
}
