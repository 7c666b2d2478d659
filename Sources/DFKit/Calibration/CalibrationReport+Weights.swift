import Classifiers
import DeepfakeCore
import Foundation

extension CalibrationReport {
  /// Writes one network's weights with the calibration and its figures in their metadata. Tensors
  /// are unchanged. If writing fails, no partial file is left.
  ///
  /// - Throws: `WeightsError` if the weights cannot be read or written.
  package func write(_ weights: WeightsSource, to output: URL) throws(WeightsError) {
    try write(weights, members[0], settings, over: nil, to: output)
  }

  /// Writes the calibrated weights of all members of a recipe as `MEMBER.safetensors` into a
  /// folder, which is created if missing.
  ///
  /// - Throws: `WeightsError` and `ClassifierError` if weights cannot be read or written, and an
  ///   error if the folder cannot be created.
  package func write(_ files: MemberFiles, toFolder folder: URL) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (entry, member) in zip(files.entries, members) {
      // The calibration was fitted to scores that the file's own calibration had already changed.
      let model = try ClassifierModel(try entry.weights.read(), entry.member.network)
      try write(
        entry.weights, member, model.settings, over: model.calibration,
        to: folder.appendingPathComponent("\(member.name).safetensors", isDirectory: false))
    }
  }

  private func write(
    _ weights: WeightsSource, _ member: Member, _ settings: ClassifierSettings?,
    over before: LogitCalibration?, to output: URL
  ) throws(WeightsError) {
    let state = try weights.read()
    var metadata = try ModelMetadata(state)
    if let settings { metadata.describe(settings) }
    metadata.calibration = before.map { member.calibration.after($0) } ?? member.calibration
    // Remove the entries of an earlier calibration.
    metadata.other = metadata.other.filter { !$0.key.hasPrefix("calibration.") }
    for (key, value) in entries(member) { metadata.other["calibration.\(key)"] = value }
    try state.write(safetensors: output, metadata: metadata.entries, dtype: state.precision)
  }

  /// The metadata entries that describe the calibration: the data, the method and the figures.
  private func entries(_ member: Member) -> [String: String] {
    var entries = [
      "method": method.rawValue, "part": part, "faces": "\(faces.count)",
      "videos": "\(videos.real) real, \(videos.fake) fake", "groups": "\(groups)",
    ]
    if !dataDigest.isEmpty { entries["manifestSHA256"] = dataDigest }
    for (level, figures) in [("faces", member.frames), ("videos", videos)] {
      guard let figures else { continue }
      for (metric, figure) in (figures.crossFitted ?? figures.after).all {
        entries["\(level).\(metric.rawValue)"] = figure.text
      }
    }
    return entries
  }
}

extension LogitCalibration {
  /// The calibration that applies `first` and then this one; nil if the result is outside the
  /// accepted range.
  fileprivate func after(_ first: LogitCalibration) -> LogitCalibration? {
    LogitCalibration(scale: scale * first.scale, offset: scale * first.offset + offset)
  }
}

extension StateDict {
  /// The type to write: f16 or bf16 if all floating-point tensors have that type, otherwise f32.
  var precision: ElementType {
    let types = Set(keys.compactMap { self[$0]?.dtype }.filter(\.isFloatingPoint))
    guard types.count == 1, let type = types.first, [.f16, .bf16].contains(type) else {
      return .f32
    }
    return type
  }
}
