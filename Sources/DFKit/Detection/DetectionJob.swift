import DeepfakeCore
import FaceDetect
import Foundation
import MediaIO

/// Detects the faces in images and videos and groups them by person.
package struct DetectionJob: Sendable {
  package var detector: any FaceDetector
  /// The name of the detector's weights in reports; nil if the detector was made in code.
  package var detectorName: String?
  /// Which frames of a video are searched.
  package var frames: FrameChoice
  /// How the faces are drawn into files; nil: nothing is drawn.
  package var drawing: DetectionDrawing?

  package init(
    detector: any FaceDetector, frames: FrameChoice = .spread(25),
    drawing: DetectionDrawing? = nil
  ) {
    self.detector = detector
    self.frames = frames
    self.drawing = drawing
  }

  /// Searches files in order and passes each file's report to `report` as soon as it is complete. A
  /// file that cannot be searched gets a report with its error. Stops early in a cancelled task.
  ///
  /// A video that is drawn is decoded twice, because the person of each face is known only after
  /// the last frame.
  ///
  /// - Throws: The errors of `report`, and `MediaError` if the folder for drawings cannot be
  ///   created.
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
        // Search and drawing each count as half of the work.
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
