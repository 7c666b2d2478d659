import ArgumentParser
import DFKit
import Foundation

/// The options of face detection, for `detect` and `predict`.
struct DetectorOptions: ParsableArguments {
  @Option(help: "The face detector.")
  var detector: Recipe.Detector.Kind?

  @Option(
    help: """
      The detector's weights: a published RetinaFace checkpoint or a safetensors file. If not given, \
      those that 'dfkit weights fetch' has stored.
      """,
    completion: .file())
  var detectorWeights: String?

  @Option(
    help: """
      The factor by which a frame is scaled before detection, 0.05 to 4; 1 if not given (predict: the \
      recipe's).
      """)
  var frameScale: Float?

  @Option(help: "The lowest score of a face, 0.02 to 0.999; 0.5 (predict: the recipe's).")
  var threshold: Float?

  @Option(
    help: """
      The overlap (IoU) from which the lesser of two boxes is dropped, 0 to 1; 0.4 (predict: the recipe's).
      """)
  var nms: Float?

  @Option(help: "The smallest side of a face in pixels of the frame; 0 (predict: the recipe's).")
  var minFace: Float?

  func validate() throws {
    try check(frameScale, "--frame-scale", in: 0.05...4)
    try check(threshold, "--threshold", in: 0.02...0.999)
    try check(nms, "--nms", in: 0...1)
    try check(minFace, "--min-face", in: 0...10_000)
  }

  /// The settings with what was given changed.
  func applied(to settings: Recipe.Detector) -> Recipe.Detector {
    var settings = settings
    settings.kind = detector ?? settings.kind
    settings.frameScale = frameScale ?? settings.frameScale
    settings.threshold = threshold ?? settings.threshold
    settings.nms = nms ?? settings.nms
    settings.minFace = minFace ?? settings.minFace
    return settings
  }

  /// Where the weights lie: as given, or in the user's store.
  func weights(of settings: Recipe.Detector) throws -> URL {
    if let detectorWeights { return URL(fileURLWithPath: detectorWeights) }
    do {
      return try settings.weights(given: nil, in: try WeightsStore())
    } catch {
      Output.complain(error.description)
      throw ExitCode.validationFailure
    }
  }

  private func check(_ value: Float?, _ name: String, in range: ClosedRange<Float>) throws {
    if let value, !range.contains(value) {
      throw ValidationError("\(name) must be \(range.lowerBound) to \(range.upperBound).")
    }
  }
}
