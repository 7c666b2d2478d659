import Classifiers
import DeepfakeCore
import FaceDetect
import Foundation

/// Turns a weights file of any kind into dfkit's own: safetensors with metadata that says all that
/// loading needs, so that no options are needed later.
package struct WeightsConversion: Sendable {
  /// What the caller knows better than the file.
  package var options = ClassifierOptions()
  /// What a crop had around the face on each side in training, as a fraction of the box.
  package var cropMargin: Float?
  /// How fractions are stored: `.f32`, `.f16` or `.bf16`.
  package var dtype: ElementType = .f32

  /// A conversion that leaves all to the file.
  package init() {}

  /// Reads `input` (a file, or the folder of MTCNN's three) and writes `output`.
  ///
  /// A file whose network is not recognised is converted as it is, with the metadata that it has.
  ///
  /// - Returns: what was written, as `WeightsReport` sees it.
  /// - Throws: `WeightsError` where a file cannot be read or written; `ClassifierError` where the
  ///   options contradict the file.
  package func run(_ input: URL, to output: URL) throws -> WeightsReport {
    try run(.file(input), to: output)
  }

  /// The same of weights from anywhere.
  package func run(_ input: WeightsSource, to output: URL) throws -> WeightsReport {
    var state = try input.read()
    var metadata = try ModelMetadata(state)
    if let detector = DetectorWeights(recognizing: state) {
      state = try DetectorFamilies.named(detector.detector)?.converted(state) ?? state
      metadata.architecture = detector.architecture
      metadata.scheme = detector.scheme
      metadata.norm = detector.norm
    } else if options != ClassifierOptions() || Scheme.recognised(in: state) != nil {
      let settings = try ClassifierSettings.resolve(state, options)
      // Loading shows that the file fits the network before anything is written.
      try settings.makeNetwork().loadWeights(
        state, scheme: settings.scheme, architecture: settings.architecture)
      state = state.unwrapped(settings.scheme)
      metadata.describe(settings)
      if settings.classCount <= 2 { metadata.labels = ["real", "fake"] }
    }
    if let cropMargin { metadata.cropMargin = cropMargin }
    state.metadata = metadata.entries
    try state.write(safetensors: output, dtype: dtype)
    var report = WeightsReport(try StateDict.read(output))
    report.checkpoint = state.checkpoint
    return report
  }
}
