import Classifiers
import DeepfakeCore
import Foundation
import Training

extension CalibrationReport {
  /// Writes the weights with the calibration and these figures in their metadata; numbers are stored as they
  /// were. The file appears whole or not at all.
  ///
  /// - Throws: `WeightsError`.
  public func write(_ weights: WeightsSource, to output: URL) throws(WeightsError) {
    let state = try weights.read()
    var metadata = try ModelMetadata(state)
    if let settings { metadata.describe(settings) }
    metadata.calibration = calibration
    // What an earlier calibration said of itself.
    metadata.other = metadata.other.filter { !$0.key.hasPrefix("calibration.") }
    for (key, value) in entries { metadata.other["calibration.\(key)"] = value }
    try state.write(safetensors: output, metadata: metadata.entries, dtype: state.precision)
  }

  /// What the file says of its calibration beside the numbers.
  var entries: [String: String] {
    var entries = [
      "method": method.rawValue, "part": part, "faces": "\(faces.count)",
      "videos": "\(videos.real) real, \(videos.fake) fake", "groups": "\(groups)",
    ]
    if !dataDigest.isEmpty { entries["manifestSHA256"] = dataDigest }
    for (level, figures) in [("faces", frames), ("videos", videos)] {
      for (metric, figure) in (figures.crossFitted ?? figures.after).all {
        entries["\(level).\(metric.rawValue)"] = figure.text
      }
    }
    return entries
  }
}

extension StateDict {
  /// The type that all fractions have, of those that can be written; F32 where they differ.
  var precision: ElementType {
    let types = Set(keys.compactMap { self[$0]?.dtype }.filter(\.isFloatingPoint))
    guard types.count == 1, let type = types.first, [.f16, .bf16].contains(type) else {
      return .f32
    }
    return type
  }
}
