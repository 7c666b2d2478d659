import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO

/// Finds the faces in images and videos, and joins them into people.
package struct DetectionJob: Sendable {
  /// Finds the faces.
  package var detector: any FaceDetector
  /// What reports call the detector's weights; nil where it was made in code.
  package var detectorName: String?
  /// Which frames of a video are searched.
  package var frames: FrameChoice
  /// What is drawn of the results; nil draws nothing.
  package var drawing: DetectionDrawing?

  package init(
    detector: any FaceDetector, frames: FrameChoice = .spread(25),
    drawing: DetectionDrawing? = nil
  ) {
    self.detector = detector
    self.frames = frames
    self.drawing = drawing
  }

  /// Searches `files` in order and hands over each file's report as soon as it is made. Stops early
  /// in a cancelled task.
  ///
  /// A video that is drawn is decoded twice: to whom a face belongs is known at the end.
  ///
  /// - Throws: what `report` throws, and `MediaError` where the folder for pictures cannot be made.
  package func run(
    _ files: MediaFiles, progress: (JobProgress) -> Void = { _ in },
    report: (DetectionReport) throws -> Void
  ) throws -> JobOutcome {
    var names = OutputNames(sparing: files.files)
    try drawing?.makeFolder()
    return try forEachFile(
      files, progress: progress,
      problem: { path, error in
        try report(DetectionReport(file: path, error: error.description))
      }
    ) { file, progress in
      let name = names.unused(file.deletingPathExtension().lastPathComponent)
      let found: DetectionReport
      do {
        // Each pass counts for half of the work.
        let share = drawing == nil ? 1 : 0.5
        found = try search(file) { progress($0 * share) }
        try drawing?.draw(found, of: file, frames, named: name, names) {
          progress(share + $0 * (1 - share))
        }
      } catch is CancellationError {
        return .cancelled
      } catch {
        try report(DetectionReport(file: file.relativePath, error: error.reason))
        return .failed
      }
      try report(found)
      return .answered
    }
  }

  private func search(_ file: URL, progress: (Double) -> Void) throws -> DetectionReport {
    var report = DetectionReport(file: file.relativePath)
    var search = FaceSearch(detector, name: detectorName)
    func note(_ frame: MediaFrame, _ faces: [Face]) {
      report.frames.append(
        .init(
          time: frame.time, width: frame.image.width, height: frame.image.height,
          faces: faces.map { TrackedFace(face: $0, track: 0) }))
    }
    report.warnings = try MediaFrame.read(file, frames) { frame in
      try search.add(frame, note)
      progress(frame.place)
    }
    try search.finish(note)
    report.search = search.facts
    report.join(search.tracks())
    return report
  }
}
