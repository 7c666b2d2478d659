import FaceDetect
import Measures

/// The text of manifests, which `FaceManifest.read` reads back as it was.
public enum ManifestWriter {
  private static let columns = [
    "path", "label", "video", "original", "person", "split", "fold", "group", "origin", "frame",
    "time", "box", "landmarks", "score", "source",
  ]

  /// The first line, with its end.
  public static let header = CSV.line(columns) + "\n"

  /// A sample's line, with its end. Numbers are the shortest that read back as they were.
  public static func row(_ sample: FaceSample) -> String {
    CSV.line([
      sample.path, sample.label.word, sample.video ?? "", sample.original ?? "",
      sample.person ?? "", sample.split ?? "", sample.fold.map { "\($0)" } ?? "",
      sample.group ?? "", sample.origin ?? "",
      sample.frame.map { "\($0)" } ?? "", sample.time.map { "\($0)" } ?? "",
      sample.box.map { text($0.numbers) } ?? "", sample.landmarks.map { text($0.numbers) } ?? "",
      sample.score.map { "\($0)" } ?? "", sample.source ?? "",
    ]) + "\n"
  }

  /// Points as the column `landmarks` has them.
  package static func text(_ landmarks: [Point]) -> String { text(landmarks.numbers) }

  private static func text(_ numbers: [Float]) -> String {
    numbers.map { "\($0)" }.joined(separator: " ")
  }
}
