import Classifiers
import DeepfakeCore
import FaceDetect
import Foundation

/// Converts weights of any supported format to dfkit's own: safetensors with metadata that make
/// further options unnecessary when loading.
package struct WeightsConversion: Sendable {
  /// Options that override what the file says.
  package var options = ClassifierOptions()
  /// The margin around the face on each side of training crops, as a fraction of the face's box.
  package var cropMargin: Float?
  /// The element type of the floating-point tensors in the output: `.f32`, `.f16` or `.bf16`.
  package var dtype: ElementType = .f32

  /// A conversion without options, to f32.
  package init() {}

  /// Converts `input` (a file, or the folder of MTCNN's three files) to `output`.
  ///
  /// If the network is not recognised and no options are given, the keys and metadata are kept as
  /// they are.
  ///
  /// - Returns: A report on the written file.
  /// - Throws: `WeightsError` if a file cannot be read or written, `ClassifierError` if the options
  ///   contradict the file.
  package func run(_ input: URL, to output: URL) throws -> WeightsReport {
    try run(.file(input), to: output)
  }

  /// Converts weights from any source. See the other `run`.
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
      // Load the weights first, to check that they fit the network before anything is written.
      let network = settings.makeNetwork()
      try network.loadWeights(
        state.ofFrameNetwork, scheme: settings.scheme, architecture: settings.architecture)
      if state.isSequence {
        _ = try SequenceHead(loading: state, features: network.featureCount)
      }
      state = state.unwrapped(settings.scheme)
      let sequence = metadata.sequence
      metadata.describe(settings)
      metadata.sequence = sequence
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
